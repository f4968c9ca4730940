import type { ConditionReason } from '@cloudfreedom/crds/conditions.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { COMPONENT_LABEL } from './names.ts';

/** How one part is doing. */
export interface PartState {
  status: 'True' | 'False' | 'Unknown';
  reason: ConditionReason;
  message: string;
}

/** A reason for which waiting alone will not help. */
export const stallingReasons: ReadonlySet<ConditionReason> = new Set([
  'ImageUnavailable',
  'PodCrashing',
  'PodUnschedulable',
  'QuotaExceeded',
  'RolloutStuck',
  'ApplyRefused',
  'ControlPlaneRefused',
]);

/** Milliseconds a pod may go without a node before it counts as unschedulable: volumes are bound in that time. */
export const UNSCHEDULABLE_GRACE_MS = 30_000;
/** Restarts after which a container counts as crashing; a first one may only mean that it came up too early. */
const CRASHING_RESTARTS = 2;

const pullFailures = new Set(['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName']);

interface ContainerStatus {
  name: string;
  image: string;
  ready?: boolean;
  restartCount?: number;
  state?: { waiting?: { reason?: string } };
}

interface StatusCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

interface WorkloadStatus {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  conditions?: StatusCondition[];
}

/** Judges a Deployment or StatefulSet by what Kubernetes reports of it and of its pods. Pure: `nowMs` is given. */
export function workloadState(
  part: string,
  workload: KubeObject | undefined,
  pods: readonly KubeObject[],
  nowMs: number,
): PartState {
  if (workload === undefined) return { status: 'False', reason: 'Progressing', message: `${part} is not made yet.` };
  const wished = (workload.spec as { replicas?: number }).replicas ?? 1;
  const status = (workload.status ?? {}) as WorkloadStatus;
  if (wished === 0) {
    return (status.replicas ?? 0) === 0
      ? { status: 'False', reason: 'Suspended', message: 'Scaled to zero while spec.suspended is true.' }
      : { status: 'False', reason: 'Progressing', message: `${part} is being scaled to zero.` };
  }
  const followed = (status.observedGeneration ?? 0) >= (workload.metadata.generation ?? 0);
  // while a Deployment rolls, old pods count as available too: only when none is left are all of them new
  const { replicas, updatedReplicas, availableReplicas } = status;
  if (followed && replicas === wished && updatedReplicas === wished && availableReplicas === wished) {
    return { status: 'True', reason: 'Available', message: '' };
  }
  const current = pods.filter((pod) => isOfTemplate(pod, workload));
  const trouble = followed ? (podTrouble(part, current, nowMs) ?? rolloutTrouble(part, status)) : undefined;
  if (trouble) return { status: 'False', ...trouble };
  const serving = (status.availableReplicas ?? 0) > 0;
  return serving
    ? {
        status: 'False',
        reason: 'Progressing',
        message: `New pods of ${part} are starting; the old ones keep serving.`,
      }
    : { status: 'False', reason: 'WaitingForPods', message: `Pods of ${part} are starting.` };
}

/** The part of a pod, or of its template, that the operator may change. */
interface PodShape {
  metadata?: { annotations?: Record<string, string> };
  spec?: { containers?: { image: string }[] };
}

/** Whether a pod was made from the template as it is now. What ails one from an older template is being cured already. */
function isOfTemplate(pod: KubeObject, workload: KubeObject): boolean {
  const { template } = workload.spec as { template?: PodShape };
  const stamps = Object.entries(template?.metadata?.annotations ?? {});
  const images = (shape: PodShape | undefined) => (shape?.spec?.containers ?? []).map(({ image }) => image).join();
  return (
    stamps.every(([name, value]) => pod.metadata.annotations?.[name] === value) && images(template) === images(pod)
  );
}

type Trouble = Omit<PartState, 'status'>;

function podTrouble(part: string, pods: readonly KubeObject[], nowMs: number): Trouble | undefined {
  const own = pods.filter(
    ({ metadata }) => metadata.labels?.[COMPONENT_LABEL] === part && metadata.deletionTimestamp === undefined,
  );
  const statuses = own.map((pod) => pod.status as { conditions?: StatusCondition[] } & Record<string, unknown>);
  const containers = statuses.flatMap((status) => [
    ...((status?.initContainerStatuses as ContainerStatus[] | undefined) ?? []),
    ...((status?.containerStatuses as ContainerStatus[] | undefined) ?? []),
  ]);
  // a kubelet alternates between two reasons for one and the same fault: the sentence must not
  const unpulled = containers.find(({ state }) => pullFailures.has(state?.waiting?.reason ?? ''));
  if (unpulled) {
    const message = `Image ${unpulled.image} of ${part} cannot be pulled: correct it in the platform's settings, or give the nodes access to its registry.`;
    return { reason: 'ImageUnavailable', message };
  }
  const crashing = containers.find(
    ({ ready, restartCount = 0 }) => ready !== true && restartCount >= CRASHING_RESTARTS,
  );
  if (crashing) {
    const message = `Container ${crashing.name} of ${part} keeps stopping: read its log with kubectl logs --previous.`;
    return { reason: 'PodCrashing', message };
  }
  const homeless = statuses
    .flatMap((status) => status?.conditions ?? [])
    .find(
      ({ type, status, reason, lastTransitionTime }) =>
        type === 'PodScheduled' &&
        status === 'False' &&
        reason === 'Unschedulable' &&
        nowMs - Date.parse(lastTransitionTime ?? '') >= UNSCHEDULABLE_GRACE_MS,
    );
  if (!homeless) return undefined;
  return {
    reason: 'PodUnschedulable',
    message: `No node has room for a pod of ${part}: add nodes or lower its requests.`,
  };
}

function rolloutTrouble(part: string, { conditions = [] }: WorkloadStatus): Trouble | undefined {
  const failure = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (failure?.message?.includes('exceeded quota')) {
    const message = `The namespace's quota leaves no room for a pod of ${part}: choose a larger plan or lower spec.components.`;
    return { reason: 'QuotaExceeded', message };
  }
  if (failure) return { reason: 'RolloutStuck', message: `Pods of ${part} cannot be made: ${failure.message ?? ''}` };
  const stuck = conditions.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  if (!stuck) return undefined;
  return {
    reason: 'RolloutStuck',
    message: `The rollout of ${part} made no progress: see its pods with kubectl describe.`,
  };
}
