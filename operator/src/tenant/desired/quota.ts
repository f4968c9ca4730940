import type { KubeObject } from '../../runtime/cluster.ts';
import { objectName } from '../names.ts';
import type { Wish } from '../wish.ts';
import { metadata } from './object.ts';

/** What a namespace may use where its Plan says nothing: several times a small tenant, far below a node pool. */
export const DEFAULT_QUOTA = { cpu: '40', memory: '32Gi', storage: '100Gi', pods: 40 } as const;

/** Limits of a container that states none; every container of ours states its own. */
const FALLBACK_LIMITS = {
  default: { cpu: '500m', memory: '256Mi' },
  defaultRequest: { cpu: '20m', memory: '64Mi' },
} as const;

/** Caps what the whole namespace may use; ways out that pass the Ingress by are closed. */
export function resourceQuota(wish: Wish): KubeObject {
  const quota = wish.plan.quota ?? {};
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: metadata(wish, 'namespace', objectName.quota),
    spec: {
      hard: {
        'limits.cpu': quota.cpu ?? DEFAULT_QUOTA.cpu,
        'limits.memory': quota.memory ?? DEFAULT_QUOTA.memory,
        'requests.storage': quota.storage ?? DEFAULT_QUOTA.storage,
        pods: String(quota.pods ?? DEFAULT_QUOTA.pods),
        'services.loadbalancers': '0',
        'services.nodeports': '0',
      },
    },
  };
}

/** Gives requests and limits to a container that states none, so that the quota never refuses it for that. */
export function limitRange(wish: Wish): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: metadata(wish, 'namespace', objectName.limitRange),
    spec: { limits: [{ type: 'Container', ...FALLBACK_LIMITS }] },
  };
}
