import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../process/until.ts';
import { conditions, tenantYaml } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

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

  it('a field the schema does not know is refused by the API server, by name', async () => {
    await expect(story.kubectl.apply(tenantYaml('bad-field', { budgget: { monthlyEur: '5.00' } }))).rejects.toThrow(
      /budgget/,
    );
  });
});
