import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../process/until.ts';
import { OpenWebUi } from '../steps/open-web-ui.ts';
import { bootstrapAccount, tenantYaml, waitServing } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const PATIENCE = { timeoutMs: 240_000, intervalMs: 1_000 };

describe('deleting a Tenant follows its deletion policy', () => {
  let story: Story;
  beforeAll(async () => {
    story = await openStory();
  });
  const names = async (kind: string, namespace: string): Promise<string[]> =>
    (await story.kubectl.json(kind, '-n', namespace)).items.map(
      ({ metadata }: { metadata: { name: string } }) => metadata.name,
    );

  it('Retain keeps the data, and the same Tenant applied again has its chats back', async () => {
    const tenant = 'keeper';
    await story.kubectl.apply(tenantYaml(tenant, { deletionPolicy: 'Retain' }));
    const host = await waitServing(story, tenant);
    const account = await bootstrapAccount(story.kubectl, tenant);
    const chats = await OpenWebUi.signIn(story.way, host, account);
    await chats.createChat('What we must remember');

    await story.kubectl('delete', 'tenant', tenant, '--timeout=240s');
    expect(await names('pods', `tenant-${tenant}`)).toEqual([]);
    expect(await names('persistentvolumeclaims', `tenant-${tenant}`)).not.toEqual([]);
    // nothing routes the host any more: the ingress answers with its own certificate, which nobody trusts
    await expect(story.way.get(`https://${host}/`)).rejects.toThrow();
    expect(await names('ingresses', `tenant-${tenant}`)).toEqual([]);

    await story.kubectl.apply(tenantYaml(tenant, { deletionPolicy: 'Delete' }));
    await waitServing(story, tenant);
    expect(await bootstrapAccount(story.kubectl, tenant)).toEqual(account);
    const again = await OpenWebUi.signIn(story.way, host, account);
    expect(await again.chatTitles()).toEqual(['What we must remember']);
  });

  it('Delete removes the namespace and everything in it', async () => {
    const tenant = 'keeper';
    const other = await story.kubectl('get', 'namespaces', '-o', 'name');
    await story.kubectl('delete', 'tenant', tenant, '--timeout=240s');
    await until(
      'the namespace to be gone',
      async () => {
        const left = await story.kubectl('get', 'namespace', `tenant-${tenant}`, '--ignore-not-found', '-o', 'name');
        return left === '' ? true : undefined;
      },
      PATIENCE,
    );
    const expected = other.split('\n').filter((name) => name !== `namespace/tenant-${tenant}`);
    expect((await story.kubectl('get', 'namespaces', '-o', 'name')).split('\n')).toEqual(expected);
  });
});
