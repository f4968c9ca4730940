import type { KubeObject } from '../../runtime/cluster.ts';
import type { Wish } from '../wish.ts';
import { backup } from './backup.ts';
import { chatData } from './chat-data.ts';
import { liteLlm } from './litellm.ts';
import { namespace } from './namespace.ts';
import { networkPolicies } from './network-policies.ts';
import { openWebUi } from './open-webui.ts';
import { postgres } from './postgres.ts';
import { copiedSecrets } from './provider-keys.ts';
import { limitRange, resourceQuota } from './quota.ts';
import { redis } from './redis.ts';
import { route } from './route.ts';
import { serviceMonitor } from './service-monitor.ts';

/**
 * The full list of a tenant's objects, in the order in which they are applied: first what limits and guards, then data,
 * then what reads it, and the way in last. Generated Secrets are not in it: they are created once, not applied.
 */
export function desiredObjects(wish: Wish): KubeObject[] {
  const managed = wish.externalDatabaseUrl === undefined;
  return [
    namespace(wish),
    resourceQuota(wish),
    limitRange(wish),
    ...networkPolicies(wish),
    ...copiedSecrets(wish),
    ...(managed ? postgres(wish) : []),
    ...(managed && wish.spec.backup.enabled ? backup(wish) : []),
    ...redis(wish),
    ...liteLlm(wish),
    ...openWebUi(wish),
    ...chatData(wish),
    ...route(wish),
    ...serviceMonitor(wish),
  ];
}
