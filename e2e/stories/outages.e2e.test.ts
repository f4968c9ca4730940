import { beforeAll, describe, expect, it } from 'vitest';
import type { Printed } from '../platform/kubectl.ts';
import { until } from '../process/until.ts';
import { allPages, budgetOf, ledgerOf, settled } from '../steps/budget.ts';
import { ask, told } from '../steps/chat.ts';
import { conditions, issueKey, tenantYaml, waitReady, waitServing } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const TENANT = 'outage';
const NAMESPACE = `tenant-${TENANT}`;
const PLATFORM = 'cloudfreedom-system';
/** The setting of the operator that the chart's images.openWebUi becomes. */
const IMAGE_VARIABLE = 'IMAGE_OPEN_WEBUI';
const MODEL = 'gpt-4o-mini';
const PATIENCE = { timeoutMs: 240_000, intervalMs: 500 };

describe('parts that go away and come back', () => {
  let story: Story;
  let key: string;
  let host: string;

  beforeAll(async () => {
    story = await openStory();
    await story.kubectl.apply(tenantYaml(TENANT));
    host = await waitServing(story, TENANT);
    key = await issueKey(story.way, TENANT, 'outages');
  });

  const scale = (deployment: string, replicas: number) =>
    story.kubectl('scale', deployment, `--replicas=${replicas}`, '-n', PLATFORM);

  it('the control plane away: a clear 503, nothing is spent, and the chat is back when it returns', async () => {
    const before = await budgetOf(story.way, TENANT);
    await scale('deployment/control-plane', 0);
    await story.kubectl(
      'wait',
      '--for=delete',
      'pod',
      '-n',
      PLATFORM,
      '--timeout=120s',
      '-l',
      'app.kubernetes.io/component=control-plane',
    );
    const outcome = await ask(story.way.openai(host, key), MODEL, 'Is anybody there?');
    expect(outcome).toMatchObject({ refusal: { status: 503 } });
    await scale('deployment/control-plane', 1);
    await story.kubectl('rollout', 'status', 'deployment/control-plane', '-n', PLATFORM, '--timeout=180s');
    await until(
      'an answer',
      async () => {
        const again = await ask(story.way.openai(host, key), MODEL, 'And now?', 20);
        return 'text' in again ? again : undefined;
      },
      PATIENCE,
    );
    await settled(story.way, TENANT);
    const lines = await allPages(story.way, `/v1/tenants/${TENANT}/usage`);
    expect(lines.length).toBeGreaterThan(0);
    expect((await budgetOf(story.way, TENANT)).granted).toBe(before.granted);
  });

  it('the control plane away while an answer streams: the answer goes on, and is billed when it returns', async () => {
    const before = await budgetOf(story.way, TENANT);
    const content = told('Tell me slowly', { chunks: 20, chunkDelayMs: 1_000, completionTokens: 200 });
    const stream = await story.way
      .openai(host, key)
      .chat.completions.create({ model: MODEL, stream: true, max_tokens: 300, messages: [{ role: 'user', content }] });
    let chunks = 0;
    for await (const _chunk of stream) {
      chunks += 1;
      if (chunks === 2) await scale('deployment/control-plane', 0);
    }
    expect(chunks).toBeGreaterThan(10);
    await scale('deployment/control-plane', 1);
    await story.kubectl('rollout', 'status', 'deployment/control-plane', '-n', PLATFORM, '--timeout=180s');
    const after = await settled(story.way, TENANT, before.posted);
    expect(after.overrun).toBe(before.overrun);
  });

  it('an image that cannot be pulled: the condition names it, the old pods serve on, and the right name ends it', async () => {
    const operator = 'deployment/operator';
    const { spec } = await story.kubectl.json(operator, '-n', PLATFORM);
    const { env } = spec.template.spec.containers[0];
    const right = env.find(({ name }: { name: string }) => name === IMAGE_VARIABLE).value as string;
    const wrong = `${right.split(':')[0]}:nowhere`;
    const setImage = async (image: string) => {
      await story.kubectl('set', 'env', operator, '-n', PLATFORM, `${IMAGE_VARIABLE}=${image}`);
      await story.kubectl('rollout', 'status', operator, '-n', PLATFORM, '--timeout=180s');
    };
    await setImage(wrong);
    try {
      const part = await until(
        'the condition',
        async () => {
          const found = (await conditions(story.kubectl, TENANT)).find(({ type }) => type === 'OpenWebUIReady');
          return found?.reason === 'ImageUnavailable' ? found : undefined;
        },
        PATIENCE,
      );
      expect(part.message).toContain(wrong);
      expect((await story.way.get(`https://${host}/health`)).status).toBe(200);
    } finally {
      await setImage(right);
    }
    const all = (await story.kubectl.json('tenants')).items.map(({ metadata }: Printed) => metadata.name);
    await waitReady(story.kubectl, ...all);
  });

  it('a LiteLLM pod killed while it streams: its hold is freed or billed, once, and the tenant serves again', async () => {
    const content = told('Tell me slowly', { chunks: 60, chunkDelayMs: 1_000 });
    const request = {
      model: MODEL,
      stream: true as const,
      max_tokens: 300,
      messages: [{ role: 'user' as const, content }],
    };
    const stream = await story.way.openai(host, key).chat.completions.create(request);
    let killed: Promise<unknown> | undefined;
    const cut = await (async () => {
      for await (const _chunk of stream) {
        killed ??= story.kubectl(
          'delete',
          'pods',
          '-n',
          NAMESPACE,
          '-l',
          'app.kubernetes.io/component=litellm',
          '--grace-period=0',
          '--force',
        );
      }
    })().then(
      () => false,
      () => true,
    );
    expect(cut).toBe(true);
    await killed;
    await settled(story.way, TENANT);
    const ledger = await ledgerOf(story.way, TENANT);
    const holds = ledger.filter(({ kind }) => kind === 'hold').map(({ requestId }) => requestId);
    for (const requestId of holds) {
      const ends = ledger.filter(
        (entry) => entry.requestId === requestId && ['post', 'void', 'expire'].includes(entry.kind),
      );
      expect(ends, `request ${requestId}`).toHaveLength(1);
    }
    await waitServing(story, TENANT);
    const answer = await until(
      'an answer',
      async () => {
        const outcome = await ask(story.way.openai(host, key), MODEL, 'Are you back?', 20);
        return 'text' in outcome ? outcome : undefined;
      },
      PATIENCE,
    );
    expect(answer.text).not.toBe('');
  });
});
