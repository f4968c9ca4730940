import { createHash } from 'node:crypto';
import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName } from '../names.ts';
import type { Wish } from '../wish.ts';
import { metadata, serviceAccount } from './object.ts';
import { databaseSecretName } from './open-webui.ts';
import { container, plain, podTemplate, secret, user } from './pod.ts';
import { HELPER_SIZE } from './sizes.ts';

/** Minutes between two looks for a request; the control plane promises people a quarter of an hour. */
const INTERVAL_MINUTES = 5;
/** Seconds of one run: less than the half hour for which a request is a run's own. */
const DEADLINE_SECONDS = 1500;
/** Seconds a run that is stopped has to report it. */
const STOP_SECONDS = 10;
/** Seconds a run may start late: the next look is near. */
const STARTING_DEADLINE_SECONDS = 60;
const FILE = 'chat_data.py';
const FOLDER = '/app/chat-data';

/**
 * The job that exports and erases what the chat stores about a person. It looks for requests every few minutes and mostly
 * finds none, so it costs a fraction of a second; tenants look at different minutes.
 */
export function chatData(wish: Wish): KubeObject[] {
  const part = component.chatData;
  return [
    serviceAccount(wish, part),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(wish, part),
      data: { [FILE]: wish.settings.chatDataScript },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: metadata(wish, part),
      spec: {
        schedule: schedule(wish.tenant.name),
        suspend: wish.spec.suspended,
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: STARTING_DEADLINE_SECONDS,
        successfulJobsHistoryLimit: 0,
        failedJobsHistoryLimit: 1,
        // what failed is reported and offered again: the next look is the next try
        jobTemplate: {
          spec: { backoffLimit: 0, activeDeadlineSeconds: DEADLINE_SECONDS, template: template(wish) },
        },
      },
    },
  ];
}

function template(wish: Wish): object {
  const part = component.chatData;
  return podTemplate(wish, {
    part,
    runAs: user.application,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: STOP_SECONDS,
    containers: [
      container(wish, {
        name: part,
        // it has Python and the driver of the database
        image: wish.settings.images.openWebUi,
        command: ['python', `${FOLDER}/${FILE}`],
        env: [
          plain('HOME', '/tmp'),
          plain('CLOUDFREEDOM_CONTROL_PLANE_URL', wish.settings.gatewayControlPlaneUrl),
          secret('CLOUDFREEDOM_CREDENTIAL', objectName.gatewayCredentials, 'CREDENTIAL'),
          secret('DATABASE_URL', databaseSecretName(wish)),
          // the one account that is nobody's
          secret('WEBUI_ADMIN_EMAIL', component.openWebUi),
        ],
        resources: HELPER_SIZE,
        volumeMounts: [{ name: 'program', mountPath: FOLDER, readOnly: true }],
      }),
    ],
    volumes: [{ name: 'program', configMap: { name: part } }],
  });
}

/** Every few minutes, at a minute that follows from the tenant's name: all at once would be a burst of pods. */
function schedule(tenant: string): string {
  const offset = createHash('sha256').update(tenant).digest().readUInt32BE() % INTERVAL_MINUTES;
  return `${offset}-59/${INTERVAL_MINUTES} * * * *`;
}
