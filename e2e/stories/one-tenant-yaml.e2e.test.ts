import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../process/until.ts';
import { budgetOf, settled } from '../steps/budget.ts';
import { ask, SHIPPED_MODELS } from '../steps/chat.ts';
import { changedKeys, fingerprints, lastWrites } from '../steps/owned-objects.ts';
import { conditions, issueKey, tenantYaml, waitReady, waitServing } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const TENANT = 'story';
const NAMESPACE = `tenant-${TENANT}`;
const PATIENCE = { timeoutMs: 180_000, intervalMs: 500 };

/** Sum over all series of one counter in the operator's metrics. */
async function operatorCounter({ kubectl }: Story, name: string): Promise<number> {
  const pods = await kubectl.json('pods', '-n', 'cloudfreedom-system', '-l', 'app.kubernetes.io/component=operator');
  const pod = pods.items.find(
    ({ metadata }: { metadata: { deletionTimestamp?: string } }) => !metadata.deletionTimestamp,
  );
  const proxy = `/api/v1/namespaces/cloudfreedom-system/pods/${pod.metadata.name}:8081/proxy/metrics`;
  const lines = (await kubectl('get', '--raw', proxy)).split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe('one Tenant YAML', () => {
  let story: Story;
  let key: string;
  let host: string;

  beforeAll(async () => {
    story = await openStory();
    await story.kubectl.apply(tenantYaml(TENANT, { displayName: 'Story' }));
    const readyMs = await waitReady(story.kubectl, TENANT);
    console.log(`applied to Ready: ${(readyMs / 1000).toFixed(1)} s`);
    host = await waitServing(story, TENANT);
    key = await issueKey(story.way, TENANT, 'one tenant yaml');
  });

  it('says where its people chat, and that its status is of this generation', async () => {
    const { metadata, status } = await story.kubectl.json('tenant', TENANT);
    expect(status.url).toBe(`https://${TENANT}.${story.env.BASE_DOMAIN}`);
    expect(status.observedGeneration).toBe(metadata.generation);
    const types = (await conditions(story.kubectl, TENANT)).map(({ type }) => type);
    expect(types).toEqual([...types].sort());
  });

  it('serves the chat page and refuses the API without a key', async () => {
    const page = await story.way.get(`https://${host}/`);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Open WebUI');
    const refused = await story.way.get(`https://${host}/v1/models`, { authorization: 'Bearer cf-nobody' });
    expect(refused.status).toBe(401);
  });

  it.each(SHIPPED_MODELS)('answers through %s and bills it', async (model) => {
    const before = await budgetOf(story.way, TENANT);
    const answer = await ask(story.way.openai(host, key), model, `What is ${model}?`, 50);
    expect(answer).toHaveProperty('text');
    const after = await settled(story.way, TENANT, before.posted);
    expect(after.overrun).toBe(before.overrun);
  });

  it('is in sync after the operator restarts, and nothing was written', async () => {
    const before = await lastWrites(story.kubectl, TENANT, NAMESPACE);
    await story.kubectl('rollout', 'restart', 'deployment/operator', '-n', 'cloudfreedom-system');
    await story.kubectl('rollout', 'status', 'deployment/operator', '-n', 'cloudfreedom-system', '--timeout=180s');
    await until(
      'the new operator to have looked at everything',
      async () => {
        const looked = await operatorCounter(story, 'cloudfreedom_reconcile_duration_seconds_count');
        return looked > 0 ? looked : undefined;
      },
      PATIENCE,
    );
    await until(
      'the queue to be empty',
      async () => {
        return (await operatorCounter(story, 'cloudfreedom_queue_depth')) === 0 ? true : undefined;
      },
      PATIENCE,
    );
    expect(changedKeys(before, await lastWrites(story.kubectl, TENANT, NAMESPACE))).toEqual([]);
  });

  it('writes only what depends on a changed field', async () => {
    const before = await fingerprints(story.kubectl, TENANT, NAMESPACE);
    const patch = { spec: { branding: { title: 'Story Chat' } } };
    await story.kubectl('patch', 'tenant', TENANT, '--type=merge', '-p', JSON.stringify(patch));
    await until(
      'the status of the new generation',
      async () => {
        const { metadata, status } = await story.kubectl.json('tenant', TENANT);
        return status.observedGeneration === metadata.generation ? true : undefined;
      },
      PATIENCE,
    );
    const after = await fingerprints(story.kubectl, TENANT, NAMESPACE);
    expect(changedKeys(before, after)).toEqual(['Deployment/open-webui']);
    await waitReady(story.kubectl, TENANT);
  });

  it('repairs an owned object that was changed or deleted by hand', async () => {
    const before = await fingerprints(story.kubectl, TENANT, NAMESPACE);
    const open = { spec: { ingress: [{}] } };
    const policies = await story.kubectl.json('networkpolicies', '-n', NAMESPACE);
    const policy = policies.items[0].metadata.name as string;
    await story.kubectl('patch', 'networkpolicy', policy, '-n', NAMESPACE, '--type=merge', '-p', JSON.stringify(open));
    await story.kubectl('delete', 'service', 'litellm', '-n', NAMESPACE);
    await until(
      'the repair',
      async () => {
        const now = await story.kubectl.json('networkpolicy', policy, '-n', NAMESPACE);
        const repaired = JSON.stringify(now.spec) === JSON.stringify(policies.items[0].spec);
        const service = await story.kubectl(
          'get',
          'service',
          'litellm',
          '-n',
          NAMESPACE,
          '-o',
          'name',
          '--ignore-not-found',
        );
        return repaired && service !== '' ? true : undefined;
      },
      PATIENCE,
    );
    const after = await fingerprints(story.kubectl, TENANT, NAMESPACE);
    // the policy was written twice, so its generation moved; the service is a new object with another address
    expect(changedKeys(before, after)).toEqual([`NetworkPolicy/${policy}`, 'Service/litellm']);
  });
});
