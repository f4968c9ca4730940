import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName, port } from '../names.ts';
import type { Wish } from '../wish.ts';
import { deploymentStrategy, disruptionBudget } from './deployment.ts';
import { metadata, serviceAccount } from './object.ts';
import { environment } from './open-webui-environment.ts';
import { container, DRAIN_SECONDS, podTemplate, secret, selector, user } from './pod.ts';
import { service } from './service.ts';
import { HELPER_SIZE, replicasOf, sizeOf } from './sizes.ts';

/** Seconds for running answers to end after the last new request. */
const STOP_SECONDS = 120;

/** The chat. */
export function openWebUi(wish: Wish): KubeObject[] {
  const part = component.openWebUi;
  const databaseSecret = databaseSecretName(wish);
  const databaseUrl = wish.externalDatabaseUrl ?? wish.secrets.postgres?.DATABASE_URL ?? '';
  return [
    serviceAccount(wish, part),
    service(wish, part, port.openWebUi),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(wish, part),
      spec: {
        replicas: chatReplicas(wish),
        ...deploymentStrategy,
        selector: selector(part),
        template: podTemplate(wish, {
          part,
          runAs: user.application,
          hasInit: true,
          terminationGracePeriodSeconds: DRAIN_SECONDS + STOP_SECONDS,
          secrets: {
            ...wish.secrets.openWebUi,
            ...wish.secrets.oidcClient,
            DATABASE_URL: databaseUrl,
            REDIS_URL: wish.secrets.redis.REDIS_URL ?? '',
            CHAT_KEY: wish.secrets.gatewayCredentials.CHAT_KEY ?? '',
          },
          initContainers: [
            container(wish, {
              name: 'wait-for-postgres',
              image: wish.settings.images.postgres,
              command: ['sh', '-c', 'until pg_isready --quiet --dbname="$DATABASE_URL"; do sleep 0.5; done'],
              env: [secret('DATABASE_URL', databaseSecret)],
              resources: HELPER_SIZE,
            }),
          ],
          containers: [
            container(wish, {
              name: part,
              image: wish.settings.images.openWebUi,
              env: environment(wish, databaseSecret),
              ports: [{ name: 'main', containerPort: port.openWebUi, protocol: 'TCP' }],
              startupProbe: { ...probe('/health'), periodSeconds: 2, failureThreshold: 180 },
              readinessProbe: { ...probe('/ready'), periodSeconds: 10, failureThreshold: 3 },
              livenessProbe: { ...probe('/health'), periodSeconds: 20, failureThreshold: 6 },
              lifecycle: { preStop: { sleep: { seconds: DRAIN_SECONDS } } },
              resources: sizeOf(wish.spec, 'openWebUi'),
              volumeMounts: [
                { name: 'data', mountPath: '/app/backend/data' },
                { name: 'static', mountPath: '/app/backend/static-files' },
              ],
            }),
          ],
          volumes: [
            { name: 'data', emptyDir: {} },
            { name: 'static', emptyDir: {} },
          ],
        }),
      },
    },
    disruptionBudget(wish, part),
  ];
}

/** The Secret with the DATABASE_URL of the chat. */
export function databaseSecretName({ externalDatabaseUrl }: Wish): string {
  return externalDatabaseUrl === undefined ? component.postgres : objectName.externalPostgres;
}

/** Two pods that start on an empty database would both migrate it and both make the first account: one goes first. */
function chatReplicas(wish: Wish): number {
  const wished = replicasOf(wish.spec, 'openWebUi');
  return wish.circumstances.databasePrepared ? wished : Math.min(wished, 1);
}

function probe(path: string): object {
  return { httpGet: { path, port: port.openWebUi }, timeoutSeconds: 10 };
}
