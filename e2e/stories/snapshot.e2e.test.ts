import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Printed } from '../platform/kubectl.ts';
import { until } from '../process/until.ts';
import { OpenWebUi } from '../steps/open-web-ui.ts';
import { bootstrapAccount, tenantYaml, waitServing } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

/** As long as a label of the DNS may be: the namespace's name has to be another. */
const TENANT = 'a-name-that-is-as-long-as-a-label-of-the-dns-may-ever-become-63';
const READER = 'backup-reader';
const PATIENCE = { timeoutMs: 240_000, intervalMs: 1_000 };

/** A pod that prints the lines of the newest backup's table `user`, under the rules of a tenant's namespace. */
function reader(namespace: string, image: string, claimName: string): string {
  const restore = 'pg_restore --data-only --table=user --file=- "$(ls /backups/*.dump | tail -n 1)"';
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: READER, namespace },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 999, fsGroup: 999, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'reader',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', restore],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: 'backups', mountPath: '/backups', readOnly: true }],
        },
      ],
      volumes: [{ name: 'backups', persistentVolumeClaim: { claimName } }],
    },
  });
}

describe('a Tenant with the longest name, from its first chat to its last backup', () => {
  let story: Story;
  let namespace: string;
  let image: string;
  let account: { email: string; password: string };

  beforeAll(async () => {
    story = await openStory();
    await story.kubectl.apply(tenantYaml(TENANT, { deletionPolicy: 'Snapshot' }));
  });
  const names = async (kind: string): Promise<string[]> =>
    (await story.kubectl.json(kind, '-n', namespace)).items.map(({ metadata }: Printed) => metadata.name);

  it('serves under its own name', async () => {
    expect(TENANT).toHaveLength(63);
    const host = await waitServing(story, TENANT);
    expect(host).toBe(`${TENANT}.${story.env.BASE_DOMAIN}`);
    account = await bootstrapAccount(story.kubectl, TENANT);
    const chats = await OpenWebUi.signIn(story.way, host, account);
    await chats.createChat('A chat under a long name');
    namespace = (await story.kubectl.json('tenant', TENANT)).status.namespace;
    expect(namespace.length).toBeLessThanOrEqual(63);
    const postgres = await story.kubectl.json('statefulset', 'postgres', '-n', namespace);
    image = postgres.spec.template.spec.containers[0].image;
  });

  it('Snapshot leaves one backup that can be read, and nothing that runs', async () => {
    await story.kubectl('delete', 'tenant', TENANT, '--timeout=240s');
    expect(await names('pods')).toEqual([]);
    const claims = await names('persistentvolumeclaims');
    expect(claims).toEqual(['postgres-backup']);

    await story.kubectl.apply(reader(namespace, image, 'postgres-backup'));
    const end = await until(
      'the backup to be read',
      async () => {
        const { status } = await story.kubectl.json('pod', READER, '-n', namespace);
        return ['Succeeded', 'Failed'].includes(status?.phase) ? status.phase : undefined;
      },
      PATIENCE,
    );
    const told = await story.kubectl('logs', READER, '-n', namespace);
    expect(end, told).toBe('Succeeded');
    expect(told).toContain(account.email);
    await story.kubectl('delete', 'namespace', namespace, '--timeout=120s');
  });
});
