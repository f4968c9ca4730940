import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName, port } from '../names.ts';
import type { Wish } from '../wish.ts';
import { metadata, serviceAccount } from './object.ts';
import { container, podTemplate, secret, selector, user } from './pod.ts';
import { service } from './service.ts';
import { sizeOf } from './sizes.ts';
import { claimed, volumeClaim } from './volume-claim.ts';

/** Memory for data; below the container's limit, since a rewrite of the append-only file needs room beside it. */
const MAX_MEMORY = '160mb';
/** Seconds for an orderly stop. */
const STOP_SECONDS = 30;

/**
 * Redis with an append-only file that is synced on every write and never evicts: the settlement outbox lives here, and
 * a lost entry would be a request nobody pays for.
 */
export function redis(wish: Wish): KubeObject[] {
  const part = component.redis;
  const ready = ['sh', '-c', 'test "$(redis-cli ping)" = PONG'];
  return [
    serviceAccount(wish, part),
    service(wish, part, port.redis),
    volumeClaim(wish, part, objectName.redisVolume, wish.spec.storage.redisSize),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: metadata(wish, part),
      spec: {
        serviceName: part,
        replicas: 1,
        selector: selector(part),
        template: podTemplate(wish, {
          part,
          runAs: user.database,
          terminationGracePeriodSeconds: STOP_SECONDS,
          secrets: wish.secrets.redis,
          containers: [
            container(wish, {
              name: part,
              image: wish.settings.images.redis,
              command: ['redis-server'],
              args: [
                ...['--dir', '/data', '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
                ...['--maxmemory', MAX_MEMORY, '--maxmemory-policy', 'noeviction'],
                ...['--requirepass', '$(REDIS_PASSWORD)'],
              ],
              env: [secret('REDIS_PASSWORD', part), secret('REDISCLI_AUTH', part, 'REDIS_PASSWORD')],
              ports: [{ name: 'main', containerPort: port.redis, protocol: 'TCP' }],
              startupProbe: { exec: { command: ready }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 300 },
              readinessProbe: { exec: { command: ready }, periodSeconds: 10, timeoutSeconds: 5 },
              livenessProbe: { exec: { command: ready }, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 5 },
              resources: sizeOf(wish.spec, 'redis'),
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            }),
          ],
          volumes: [claimed('data', objectName.redisVolume)],
        }),
      },
    },
  ];
}
