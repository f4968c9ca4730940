import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { until } from '../process/until.ts';
import { conditions, tenantYaml } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const PLATFORM = 'cloudfreedom-system';
const PATIENCE = { timeoutMs: 120_000, intervalMs: 500 };

describe('bad input gets a sentence that says what to change, and nothing is half made', () => {
  let story: Story;
  beforeAll(async () => {
    story = await openStory();
  });

  /** Waits for Stalled=True and returns its reason and message. */
  const stalled = (name: string) =>
    until(
      `${name} to be Stalled`,
      async () => {
        const found = (await conditions(story.kubectl, name)).find(({ type }) => type === 'Stalled');
        return found?.status === 'True' ? (found as { reason: string; message: string }) : undefined;
      },
      PATIENCE,
    );
  const namespaceOf = (name: string) =>
    story.kubectl('get', 'namespace', `tenant-${name}`, '--ignore-not-found', '-o', 'name');
  /** Also of a Tenant whose pods have only begun to start. */
  const remove = (name: string) => story.kubectl('delete', 'tenant', name, '--timeout=120s');

  it.each([
    ['an unknown plan', 'bad-plan', { plan: 'platinum' }, 'platinum'],
    ['an unknown model', 'bad-model', { models: ['gpt-nope'] }, 'gpt-nope'],
    ['a residency no model offers', 'bad-residency', { dataResidency: 'eu', models: ['gpt-4o'] }, 'eu'],
  ])('%s', async (_what, name, spec, fragment) => {
    await story.kubectl.apply(tenantYaml(name, spec));
    const { message } = await stalled(name);
    expect(message).toContain(fragment);
    expect(await namespaceOf(name)).toBe('');
    await remove(name);
  });

  it('a hostname that an older Tenant has', async () => {
    await story.kubectl.apply(tenantYaml('host-first', { hostname: 'contested', plan: 'platinum' }));
    await stalled('host-first');
    // the API server's creation time has whole seconds; the two must differ for `older` to mean something
    await until(
      'another second',
      async () => {
        const { metadata } = await story.kubectl.json('tenant', 'host-first');
        return Date.now() - Date.parse(metadata.creationTimestamp) > 1_500 ? true : undefined;
      },
      PATIENCE,
    );
    await story.kubectl.apply(tenantYaml('host-second', { hostname: 'contested' }));
    const { message } = await stalled('host-second');
    expect(message).toContain('contested');
    expect(message).toContain('host-first');
    expect(await namespaceOf('host-second')).toBe('');
    await remove('host-second');
    await remove('host-first');
  });

  it('a provider Secret that is missing: the sentence names it, and creating it is all that is left to do', async () => {
    const model = {
      apiVersion: 'cloudfreedom.de/v1alpha1',
      kind: 'Model',
      metadata: { name: 'keyless' },
      spec: {
        class: 'custom',
        limits: { contextTokens: 1_000, maxOutputTokens: 100 },
        prices: { inputUsdPerMillion: '1', outputUsdPerMillion: '2' },
        deployments: [
          {
            name: 'only',
            provider: 'openai',
            model: 'keyless',
            residency: 'us',
            apiKeySecret: { name: 'keyless-key' },
          },
        ],
      },
    };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keyless-key', namespace: PLATFORM } };
    await story.kubectl.apply(stringify(model));
    const spec = { plan: 'enterprise', budget: { monthlyEur: '1.00' }, models: ['keyless'], deletionPolicy: 'Delete' };
    await story.kubectl.apply(tenantYaml('bad-key', spec));
    const { reason, message } = await stalled('bad-key');
    expect(reason).toBe('SecretMissing');
    expect(message).toContain('keyless-key');
    expect(await namespaceOf('bad-key')).toBe('');

    await story.kubectl.apply(stringify({ ...secret, stringData: { 'api-key': 'any' } }));
    await until(
      'the tenant to be made',
      async () => ((await namespaceOf('bad-key')) === '' ? undefined : true),
      PATIENCE,
    );
    await remove('bad-key');
    await story.kubectl('delete', 'model', 'keyless');
    await story.kubectl('delete', 'secret', 'keyless-key', '-n', PLATFORM);
  });

  it('a field the schema does not know is refused by the API server, by name', async () => {
    await expect(story.kubectl.apply(tenantYaml('bad-field', { budgget: { monthlyEur: '5.00' } }))).rejects.toThrow(
      /budgget/,
    );
  });
});
