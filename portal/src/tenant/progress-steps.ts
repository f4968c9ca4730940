import type { Progress } from '../api/types.ts';

/** The operator's conditions in the order in which people expect them, and the two ends that frame them. */
export const stepNames = [
  'Accepted',
  'BudgetReady',
  'PostgresReady',
  'RedisReady',
  'LiteLLMReady',
  'OpenWebUIReady',
  'RouteReady',
  'Ready',
] as const;
export type StepName = (typeof stepNames)[number];
export type StepState = 'done' | 'active' | 'waiting' | 'failed';
export type Step = { readonly name: StepName; readonly state: StepState };

/** Reasons that are part of every start: nothing is wrong, it only takes a moment. */
const NORMAL_REASONS: ReadonlySet<string> = new Set([
  'Available',
  'Settled',
  'Progressing',
  'WaitingForPods',
  'WaitingForDependency',
  'Registered',
  'CertificatePending',
  'RouteAccepted',
  // the control plane that serves this page is there: the operator will see it at its next try
  'ControlPlaneUnreachable',
  'NamespaceTerminating',
]);

/** What each step of a tenant's making has come to. Unknown yet: the order has been taken, all else is to come. */
export function progressSteps(progress: Progress | undefined): Step[] {
  const conditions = new Map((progress?.conditions ?? []).map((condition) => [condition.type, condition]));
  return stepNames.map((name) => {
    if (name === 'Accepted') return { name, state: progress === undefined ? 'active' : 'done' };
    if (name === 'Ready') return { name, state: progress?.ready ? 'done' : 'waiting' };
    const condition = conditions.get(name);
    if (condition === undefined) return { name, state: 'waiting' };
    if (condition.status === 'True') return { name, state: 'done' };
    if (!NORMAL_REASONS.has(condition.reason)) return { name, state: 'failed' };
    return { name, state: condition.reason === 'WaitingForDependency' ? 'waiting' : 'active' };
  });
}

/** Why it does not move on: the reason of the first condition that is not just taking its time. */
export function hindrance(progress: Progress | undefined): string | undefined {
  return progress?.conditions.find(
    ({ type, status, reason }) =>
      status !== 'True' && type !== 'Reconciling' && type !== 'Stalled' && !NORMAL_REASONS.has(reason),
  )?.reason;
}
