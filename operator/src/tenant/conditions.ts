import type { Condition, ConditionType } from '@cloudfreedom/crds/conditions.ts';
import type { PartState } from './workload-state.ts';
import { stallingReasons } from './workload-state.ts';

/** A condition as it is stored. */
export interface StoredCondition extends Condition {
  observedGeneration: number;
  lastTransitionTime: string;
}

/** The state of every part that is judged, by type of its condition. */
export type PartStates = Partial<Record<ConditionType, PartState>>;

/** What the whole is doing: settled when all parts are, stalled when somebody must act, else on its way. */
export function summary(parts: PartStates): Record<'Ready' | 'Reconciling' | 'Stalled', PartState> {
  const states = Object.entries(parts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, state]) => state);
  const waiting = states.filter(({ status }) => status !== 'True');
  const stalled = waiting.find(({ reason }) => stallingReasons.has(reason));
  if (stalled) return stalledBy(stalled);
  const [first] = waiting.filter(({ reason }) => reason !== 'Suspended');
  if (first) {
    return {
      Ready: { status: 'False', reason: first.reason, message: first.message },
      Reconciling: { status: 'True', reason: 'Progressing', message: first.message },
      Stalled: calm,
    };
  }
  const [suspended] = waiting;
  if (suspended) {
    const message = 'The Tenant is suspended: set spec.suspended to false to start it again.';
    return { Ready: { status: 'False', reason: 'Suspended', message }, Reconciling: calm, Stalled: calm };
  }
  return { Ready: { status: 'True', reason: 'Available', message: '' }, Reconciling: calm, Stalled: calm };
}

const calm: PartState = { status: 'False', reason: 'Settled', message: '' };

/** The summary of a wish that cannot be met until somebody changes something. */
export function stalledBy({
  reason,
  message,
}: Omit<PartState, 'status'>): Record<'Ready' | 'Reconciling' | 'Stalled', PartState> {
  return {
    Ready: { status: 'False', reason, message },
    Reconciling: { status: 'False', reason, message: '' },
    Stalled: { status: 'True', reason, message },
  };
}

/** Conditions for a status: sorted by type, each with the time at which its status last changed. */
export function storedConditions(
  parts: PartStates,
  previous: readonly StoredCondition[],
  generation: number,
  nowMs: number,
): StoredCondition[] {
  const before = new Map(previous.map((condition) => [condition.type, condition]));
  const now = new Date(Math.floor(nowMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  return (Object.entries(parts) as [ConditionType, PartState][])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, state]) => {
      const old = before.get(type);
      const lastTransitionTime = old?.status === state.status ? old.lastTransitionTime : now;
      return { type, ...state, observedGeneration: generation, lastTransitionTime };
    });
}
