import { beforeAll, describe, expect, it } from 'vitest';
import { allPages, budgetOf, settled } from '../steps/budget.ts';
import { ask, told } from '../steps/chat.ts';
import { type IssuedKey, issueKeyWithId, tenantYaml, waitServing } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const TENANT = 'shares';
const MODEL = 'gpt-4o';
/** What each API key may spend in a month: enough for one answer of `WHOLE`, not for two. */
const KEY_MONTHLY_EUR = '0.02';
const KEY_NANO_EUR = 20_000_000n;
/** Tokens of an answer that takes more than half of a key's budget. */
const WHOLE = 1_000;
const CLAMPED = 'x-cloudfreedom-max-tokens-clamped';

interface UsageLine {
  keyId: string;
  totalNanoEur: string;
  clampedFromOutputTokens: number | null;
}

describe('each API key has a share of its own, as the Tenant says', () => {
  let story: Story;
  let host: string;
  let first: IssuedKey;
  let second: IssuedKey;

  beforeAll(async () => {
    story = await openStory();
    await story.kubectl.apply(tenantYaml(TENANT, { budget: { monthlyEur: '5.00', keyMonthlyEur: KEY_MONTHLY_EUR } }));
    host = await waitServing(story, TENANT);
    first = await issueKeyWithId(story.way, TENANT, 'first');
    second = await issueKeyWithId(story.way, TENANT, 'second');
  });

  const content = told('Everything, please', { promptTokens: 10, completionTokens: 'max' });

  it('an answer that its share does not pay as a whole is shortened, and says so', async () => {
    const whole = await ask(story.way.openai(host, first.key), MODEL, content, WHOLE);
    expect(whole).toHaveProperty('text');
    const { posted } = await settled(story.way, TENANT, 0n);
    const { data, response } = await story.way
      .openai(host, first.key)
      .chat.completions.create({ model: MODEL, max_tokens: WHOLE, messages: [{ role: 'user', content }] })
      .withResponse();
    const granted = Number(response.headers.get(CLAMPED));
    expect(granted).toBeGreaterThan(0);
    expect(granted).toBeLessThan(WHOLE);
    expect(data.usage?.completion_tokens).toBe(granted);
    const after = await settled(story.way, TENANT, posted);
    expect(after.posted).toBeLessThanOrEqual(KEY_NANO_EUR);
    const [line] = (await allPages<UsageLine>(story.way, `/v1/tenants/${TENANT}/usage`)).slice(-1);
    expect(line?.clampedFromOutputTokens).toBe(WHOLE);
  });

  it('a spent share refuses its own key and no other', async () => {
    const refused = await ask(story.way.openai(host, first.key), MODEL, content, WHOLE);
    expect(refused).toMatchObject({ refusal: { status: 402, code: 'budget_spent' } });
    if ('refusal' in refused) console.log(`what the holder of the key reads: ${refused.refusal.message}`);
    expect(await ask(story.way.openai(host, second.key), MODEL, 'And I?', 50)).toHaveProperty('text');
    await settled(story.way, TENANT);
  });

  it('a larger share opens it again, and every line names its key', async () => {
    const change = { monthlyBudgetNanoEur: (4n * KEY_NANO_EUR).toString() };
    const { status } = await story.way.api('PATCH', `/v1/tenants/${TENANT}/keys/${first.id}`, change);
    expect(status).toBe(200);
    expect(await ask(story.way.openai(host, first.key), MODEL, 'Again?', 50)).toHaveProperty('text');
    await settled(story.way, TENANT);
    const lines = await allPages<UsageLine>(story.way, `/v1/tenants/${TENANT}/usage`);
    expect(lines.map(({ keyId }) => (keyId === first.id ? 'first' : 'second'))).toEqual([
      'first',
      'first',
      'second',
      'first',
    ]);
    const total = lines.reduce((sum, { totalNanoEur }) => sum + BigInt(totalNanoEur), 0n);
    expect(total).toBe((await budgetOf(story.way, TENANT)).posted);
  });
});
