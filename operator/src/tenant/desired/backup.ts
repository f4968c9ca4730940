import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName } from '../names.ts';
import { database } from '../secrets.ts';
import type { Outline } from '../wish.ts';
import { metadata, serviceAccount } from './object.ts';
import { container, plain, podTemplate, secret, user } from './pod.ts';
import { HELPER_SIZE } from './sizes.ts';
import { claimed, volumeClaim } from './volume-claim.ts';

/** Seconds after which a dump that has not ended is given up. */
const DEADLINE_SECONDS = 3600;
/** Tries of one backup before it counts as failed. */
const RETRIES = 3;
/** Seconds a scheduled run may be late, for instance because the cluster was down. */
const STARTING_DEADLINE_SECONDS = 3600;

// The file gets its name only once it can be read back, so that whatever carries the name can be restored.
const dump = `set -eu
umask 077
name="/backups/${database.name}-$(date -u +%Y%m%dT%H%M%SZ).dump"
pg_dump --format=custom --file="$name.part"
pg_restore --list "$name.part" > /dev/null
sync "$name.part"
mv "$name.part" "$name"
ls -1 /backups/*.dump | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do rm -- "$old"; done
rm -f /backups/*.part
`;

/** Dumps of the managed database on schedule, into a volume of their own. */
export function backup(wish: Outline): KubeObject[] {
  return [
    ...backupVolume(wish),
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: metadata(wish, component.backup),
      spec: {
        schedule: wish.spec.backup.schedule,
        timeZone: wish.spec.timeZone,
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: STARTING_DEADLINE_SECONDS,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 1,
        jobTemplate: { spec: jobSpec(wish) },
      },
    },
  ];
}

/** The volume of the backups and the account of the pods that write it. */
export function backupVolume(wish: Outline): KubeObject[] {
  return [
    serviceAccount(wish, component.backup),
    volumeClaim(wish, component.backup, objectName.backupVolume, wish.spec.storage.backupSize),
  ];
}

/** The last backup before a Tenant is deleted by the policy Snapshot. */
export function finalBackup(wish: Outline): KubeObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(wish, component.backup, objectName.finalBackup),
    spec: jobSpec(wish),
  };
}

function jobSpec(wish: Outline): Record<string, unknown> {
  return {
    backoffLimit: RETRIES,
    activeDeadlineSeconds: DEADLINE_SECONDS,
    template: podTemplate(wish, {
      part: component.backup,
      runAs: user.database,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 30,
      containers: [
        container(wish, {
          name: 'dump',
          image: wish.settings.images.postgres,
          command: ['sh', '-c', dump],
          env: [
            plain('PGHOST', component.postgres),
            plain('PGUSER', database.user),
            plain('PGDATABASE', database.name),
            secret('PGPASSWORD', component.postgres, 'POSTGRES_PASSWORD'),
            plain('KEEP', String(wish.spec.backup.keep)),
          ],
          resources: HELPER_SIZE,
          volumeMounts: [{ name: 'backups', mountPath: '/backups' }],
        }),
      ],
      volumes: [claimed('backups', objectName.backupVolume)],
    }),
  };
}
