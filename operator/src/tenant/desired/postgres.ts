import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName, port } from '../names.ts';
import { database } from '../secrets.ts';
import type { Wish } from '../wish.ts';
import { metadata, serviceAccount } from './object.ts';
import { container, plain, podTemplate, secret, selector, user } from './pod.ts';
import { service } from './service.ts';
import { sizeOf } from './sizes.ts';
import { claimed, volumeClaim } from './volume-claim.ts';

/** Seconds Postgres gets for its own orderly stop before the kubelet ends it; recovery on start repairs the rest. */
const STOP_SECONDS = 60;
/** Connections: pools of up to five chat pods, a backup, and room for a person. */
const MAX_CONNECTIONS = 120;

/** The managed database: one Postgres with a volume of its own. */
export function postgres(wish: Wish): KubeObject[] {
  const part = component.postgres;
  const ready = ['pg_isready', '--quiet', '--host=127.0.0.1', `--username=${database.user}`];
  return [
    serviceAccount(wish, part),
    service(wish, part, port.postgres),
    volumeClaim(wish, part, objectName.postgresVolume, wish.spec.storage.postgresSize),
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
          secrets: wish.secrets.postgres ?? {},
          containers: [
            container(wish, {
              name: part,
              image: wish.settings.images.postgres,
              args: ['postgres', '-c', `max_connections=${MAX_CONNECTIONS}`, '-c', 'shared_buffers=32MB'],
              env: [
                plain('POSTGRES_USER', database.user),
                plain('POSTGRES_DB', database.name),
                secret('POSTGRES_PASSWORD', part),
                plain('PGDATA', '/var/lib/postgresql/data/pgdata'),
              ],
              ports: [{ name: 'main', containerPort: port.postgres, protocol: 'TCP' }],
              // -h keeps the first start's private server, which listens on its socket alone, from counting as ready
              startupProbe: { exec: { command: ready }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 300 },
              readinessProbe: { exec: { command: ready }, periodSeconds: 10, timeoutSeconds: 5 },
              livenessProbe: { exec: { command: ready }, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 5 },
              resources: sizeOf(wish.spec, 'postgres'),
              volumeMounts: [
                { name: 'data', mountPath: '/var/lib/postgresql/data' },
                { name: 'run', mountPath: '/var/run/postgresql' },
              ],
            }),
          ],
          volumes: [claimed('data', objectName.postgresVolume), { name: 'run', emptyDir: {} }],
        }),
      },
    },
  ];
}
