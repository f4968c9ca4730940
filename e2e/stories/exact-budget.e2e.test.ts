import { beforeAll, describe, expect, it } from 'vitest';
import { allPages, budgetOf, type LedgerEntry, ledgerOf, settled, topUp } from '../steps/budget.ts';
import { ask, type Outcome, told } from '../steps/chat.ts';
import { issueKey, tenantYaml, waitServing } from '../steps/tenants.ts';
import { openStory, type Story } from './story.ts';

const TENANT = 'exactness';
const MODEL = 'gpt-4o';
/** Requests of one burst, and how many of them the budget fits. */
const BURST = 200;
const FITS = 10;
const MAX_TOKENS = 100;

interface UsageLine {
  holdNanoEur: string;
  totalNanoEur: string;
  overrunNanoEur: string;
  boundInputTokens: number;
}

const isAnswer = (outcome: Outcome) => 'text' in outcome;

describe('a budget under a burst, with two LiteLLM replicas', () => {
  let story: Story;
  let key: string;
  let host: string;

  beforeAll(async () => {
    story = await openStory();
    const components = { liteLlm: { replicas: 2 } };
    await story.kubectl.apply(tenantYaml(TENANT, { budget: { monthlyEur: '0.00' }, components }));
    host = await waitServing(story, TENANT);
    key = await issueKey(story.way, TENANT, 'exact budget');
  });

  const burst = (content: string) => {
    const client = story.way.openai(host, key);
    return Promise.all(Array.from({ length: BURST }, () => ask(client, MODEL, content, MAX_TOKENS)));
  };

  /** The price of one answer that uses its whole bound, learnt from one such answer. */
  async function learnBound(): Promise<{ content: string; bound: bigint }> {
    await topUp(story.way, TENANT, 1_000_000_000n);
    // padded, so that the probe and the real request are equally long whatever the number's digits
    const content = (tokens: number) =>
      told(`Burst${'.'.repeat(10 - String(tokens).length)}`, { promptTokens: tokens, completionTokens: 'max' });
    await ask(story.way.openai(host, key), MODEL, content(10_000), MAX_TOKENS);
    await settled(story.way, TENANT);
    const [probe] = await allPages<UsageLine>(story.way, `/v1/tenants/${TENANT}/usage`);
    if (!probe) throw new Error('the probe left no usage line');
    return {
      content: content(probe.boundInputTokens),
      bound: BigInt(probe.holdNanoEur),
    };
  }

  it('gives exactly ten answers and 190 refusals where ten whole bounds fit', async () => {
    const { content, bound } = await learnBound();
    const before = await settled(story.way, TENANT);
    // room for exactly ten: the rest is corrected away
    await story.way.api(
      'POST',
      `/v1/tenants/${TENANT}/grants`,
      {
        source: 'correction',
        amountNanoEur: (bound * BigInt(FITS) - before.available).toString(),
        note: 'room for exactly ten',
      },
      { 'idempotency-key': 'exact-room' },
    );
    expect((await budgetOf(story.way, TENANT)).available).toBe(bound * BigInt(FITS));

    const outcomes = await burst(content);

    const answers = outcomes.filter(isAnswer);
    expect(answers).toHaveLength(FITS);
    const refusals = outcomes.flatMap((outcome) => ('refusal' in outcome ? [outcome.refusal] : []));
    expect(refusals).toHaveLength(BURST - FITS);
    expect(new Set(refusals.map(({ status }) => status)).difference(new Set([402, 429]))).toEqual(new Set());
    const after = await settled(story.way, TENANT);
    expect(after.posted - before.posted).toBe(bound * BigInt(FITS));
    expect(after.available).toBe(0n);
    expect(after.overrun).toBe(before.overrun);
  });

  it('never goes one unit over where answers use less, and every refusal was right at its instant', async () => {
    await topUp(story.way, TENANT, 20_000_000n);
    const outcomes = await burst(told('Burst', { promptTokens: 12, completionTokens: 7 }));
    const after = await settled(story.way, TENANT);
    expect(after.posted).toBeLessThanOrEqual(after.granted);

    const ledger: LedgerEntry[] = await ledgerOf(story.way, TENANT);
    for (const entry of ledger) {
      const room =
        BigInt(entry.grantedAfterNanoEur) - BigInt(entry.postedAfterNanoEur) - BigInt(entry.heldAfterNanoEur);
      expect(room, `entry ${entry.sequence}`).toBeGreaterThanOrEqual(0n);
      if (entry.kind === 'refuse') expect(BigInt(entry.amountNanoEur), `entry ${entry.sequence}`).toBeGreaterThan(room);
    }
    const answers = outcomes.filter(isAnswer).length;
    console.log(`${answers} of ${BURST} were answered`);
    const posts = ledger.filter(({ kind }) => kind === 'post');
    const lines = await allPages<UsageLine>(story.way, `/v1/tenants/${TENANT}/usage`);
    const total = (amounts: string[]) => amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
    expect(total(posts.map(({ amountNanoEur }) => amountNanoEur))).toBe(after.posted);
    expect(total(lines.map(({ totalNanoEur }) => totalNanoEur))).toBe(after.posted + after.overrun);
    // the probe, the ten, and this burst's answers: one posting each
    expect(posts).toHaveLength(1 + FITS + answers);
  });
});
