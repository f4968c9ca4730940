import type { KubeObject } from '../../runtime/cluster.ts';
import type { Wish } from '../wish.ts';
import { metadata } from './object.ts';
import { selector } from './pod.ts';

/** Seconds without progress after which a rollout counts as stuck. */
const PROGRESS_DEADLINE_SECONDS = 600;

/** New pods come one at a time and old ones go only when a new one serves. */
export const deploymentStrategy = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
  revisionHistoryLimit: 2,
} as const;

/** Lets a node be drained one pod at a time. */
export function disruptionBudget(wish: Wish, part: string): KubeObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(wish, part),
    spec: { maxUnavailable: 1, selector: selector(part) },
  };
}
