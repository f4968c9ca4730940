/** The conditions of our kinds. The first three are kstatus', so `kubectl wait`, Argo CD and Flux understand them. */
export const conditionTypes = [
  'Ready',
  'Reconciling',
  'Stalled',
  'PostgresReady',
  'RedisReady',
  'LiteLLMReady',
  'OpenWebUIReady',
  'BudgetReady',
  'RouteReady',
] as const;
export type ConditionType = (typeof conditionTypes)[number];

/**
 * Every reason a condition may carry, each with what it means. A reason is part of the interface: people write alerts
 * on it, so one is added here first and never renamed lightly.
 */
export const reasons = {
  Available: 'The part answers its probes and runs the wished version.',
  Settled: 'The cluster is as wished; nothing is being changed.',
  Progressing: 'The operator has written the wish and waits for the cluster to follow.',
  WaitingForPods: 'Pods of this part are starting.',
  WaitingForDependency: 'This part waits for another one to become ready first.',
  Suspended: 'The Tenant is suspended: chat and gateway are scaled to zero, the data is kept.',
  Deleting: 'The Tenant is being deleted by its deletion policy.',
  SnapshotPending: 'The last backup before deletion is still running.',
  SnapshotFailed: 'The last backup before deletion failed; nothing was deleted.',
  InvalidSpec: 'The spec breaks a rule that the API server did not check.',
  PlanNotFound: 'spec.plan names a Plan that does not exist.',
  BudgetMissing: 'Neither the Tenant nor its Plan states a monthly budget.',
  ModelNotFound: 'A Model that is named does not exist.',
  Unpriced: 'Nobody knows what the Model costs: its requests are refused.',
  ModelNotInPlan: 'A named Model is of a class that the Plan does not include.',
  NoModels: 'No Model is left after allow-list, plan and residency.',
  ResidencyImpossible: 'A named Model has no deployment in the wished residency.',
  HostnameTaken: 'Another Tenant, created earlier, uses this host name.',
  NamespaceTaken: 'The namespace exists and belongs to somebody else.',
  NamespaceTerminating: 'The namespace is still being deleted; it is made again afterwards.',
  SecretMissing: 'A Secret that is named does not exist in the platform namespace.',
  SecretKeyMissing: 'A Secret that is named lacks the key that is needed, or holds an empty value.',
  ImageUnavailable: 'A node cannot pull an image.',
  PodCrashing: 'A container keeps stopping.',
  PodUnschedulable: 'No node has room for a pod.',
  QuotaExceeded: "The namespace's ResourceQuota leaves no room for a pod.",
  RolloutStuck: 'A rollout made no progress within its deadline.',
  ApplyRefused: 'The API server refused an object.',
  Registered: 'The control plane knows it and agrees.',
  ControlPlaneUnreachable: 'The control plane does not answer; running chats go on and it is asked again.',
  ControlPlaneRefused: 'The control plane refused the registration.',
  CertificatePending: 'The certificate is not issued yet.',
  RouteAccepted: 'The host names lead to the chat.',
} as const satisfies Record<string, string>;
export type ConditionReason = keyof typeof reasons;

/** One condition as we write it. */
export interface Condition {
  type: ConditionType;
  status: 'True' | 'False' | 'Unknown';
  reason: ConditionReason;
  /** One sentence for people: what is, and what to change when it is not well. Empty when all is well. */
  message: string;
  /** The `metadata.generation` this was judged at. */
  observedGeneration?: number;
}
