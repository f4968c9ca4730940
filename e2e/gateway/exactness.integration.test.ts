import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerEntry } from '../steps/budget.ts';
import { ask, errorOf, type FakeDirective, question, type Seen } from './client.ts';
import { type Rig, startRig } from './rig.ts';

const REQUESTS = 200;
const AFFORDABLE = 10;
/** Calls under way at a time where answers are to end while others begin. */
const SOME_AT_ONCE = 20;
const MAX_TOKENS = 100;
/** Bounds of these tests have this many digits, so that naming one in the question does not change it. */
const THREE_DIGITS = 100;

let rig: Rig;
let asked = 0;

beforeAll(async () => {
  rig = await startRig({ gateways: 2, timeoutSeconds: 120 });
});
afterAll(() => rig?.close());
beforeEach(() => rig.accounts.makeAvailable(1_000_000_000_000n));

/** A call whose length does not depend on how often it was made. */
function call(gateway: number, directive: FakeDirective, stream = false): Promise<Seen> {
  asked += 1;
  const messages = question(directive, `question ${String(asked).padStart(6, '0')}`);
  const body = { model: 'gpt-4o-mini', stream, max_tokens: MAX_TOKENS, messages };
  return ask(rig.gateways[gateway]?.url ?? '', '/v1/chat/completions', body, { key: rig.apiKey });
}

/** What one call holds, and the directive that makes its answer use all of that. */
async function wholeBound(): Promise<{ hold: bigint; directive: FakeDirective }> {
  const mark = await rig.accounts.mark();
  await call(0, { promptTokens: THREE_DIGITS, completionTokens: 'max' });
  const line = await rig.accounts.onlyPosting(mark);
  expect(line.boundOutputTokens).toBe(MAX_TOKENS);
  expect(line.outputTokens).toBe(MAX_TOKENS);
  expect(String(line.boundInputTokens)).toHaveLength(String(THREE_DIGITS).length);
  return {
    hold: BigInt(line.holdNanoEur),
    directive: { promptTokens: line.boundInputTokens, completionTokens: 'max' },
  };
}

/** All calls, `atOnce` of them at any time, spread over the first `gateways`. */
async function burst(gateways: number, directive: FakeDirective, atOnce: number) {
  const seen: Seen[] = [];
  let next = 0;
  const caller = async () => {
    for (let index = next++; index < REQUESTS; index = next++) {
      seen.push(await call(index % gateways, directive, index % 4 === 3));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  const answered = seen.filter(({ status }) => status === 200);
  const refused = seen.filter(({ status }) => status === 402 || status === 429);
  const neither = seen.filter((each) => !answered.includes(each) && !refused.includes(each));
  expect(neither.map(({ status, text }) => `${status} ${text}`)).toEqual([]);
  for (const refusal of refused) expect(['budget_busy', 'budget_spent']).toContain(errorOf(refusal).code);
  return { answered, refused };
}

/** Replays the ledger since `mark`: never over the grants, and each refusal for want of what it asked at its instant. */
function prove(entries: LedgerEntry[]): { refusals: number } {
  let refusals = 0;
  for (const entry of entries) {
    const [granted, posted, held] = [entry.grantedAfterNanoEur, entry.postedAfterNanoEur, entry.heldAfterNanoEur].map(
      BigInt,
    );
    const available = (granted ?? 0n) - (posted ?? 0n) - (held ?? 0n);
    expect(available, JSON.stringify(entry)).toBeGreaterThanOrEqual(0n);
    if (entry.kind !== 'refuse') continue;
    refusals += 1;
    expect(BigInt(entry.amountNanoEur), JSON.stringify(entry)).toBeGreaterThan(available);
    // "spent" only when even without the running calls it would not fit
    const fitsAlone = BigInt(entry.amountNanoEur) <= available + (held ?? 0n);
    expect(entry.reason, JSON.stringify(entry)).toBe(fitsAlone ? 'busy' : 'spent');
  }
  return { refusals };
}

for (const gateways of [1, 2]) {
  describe(`${REQUESTS} calls at once through ${gateways} LiteLLM${gateways > 1 ? 's' : ''}, money for ${AFFORDABLE}`, () => {
    it(`answers that use their whole bound: exactly ${AFFORDABLE}, to the last unit`, async () => {
      const { hold, directive } = await wholeBound();
      await rig.accounts.makeAvailable(hold * BigInt(AFFORDABLE));
      const before = await rig.accounts.budget();
      const mark = await rig.accounts.mark();

      const { answered, refused } = await burst(gateways, directive, REQUESTS);
      expect([answered.length, refused.length]).toEqual([AFFORDABLE, REQUESTS - AFFORDABLE]);

      const endings = await rig.accounts.endings(mark, { atLeast: AFFORDABLE });
      expect(endings.map(({ kind }) => kind)).toEqual(Array(AFFORDABLE).fill('post'));
      const after = await rig.accounts.budget();
      expect(after.posted - before.posted).toBe(hold * BigInt(AFFORDABLE));
      expect(after.available).toBe(0n);
      expect(after.overrun).toBe(before.overrun);
      expect(prove(await rig.accounts.since(mark)).refusals).toBe(REQUESTS - AFFORDABLE);
    });

    it('answers that use less: never over, every refusal right at its instant', async () => {
      const { hold } = await wholeBound();
      await rig.accounts.makeAvailable(hold * BigInt(AFFORDABLE));
      const before = await rig.accounts.budget();
      const mark = await rig.accounts.mark();

      const { answered, refused } = await burst(gateways, { promptTokens: 40, completionTokens: 15 }, SOME_AT_ONCE);
      const endings = await rig.accounts.endings(mark, { atLeast: answered.length });
      expect(endings.filter(({ kind }) => kind === 'post')).toHaveLength(answered.length);
      // what early answers left over paid for more of them
      expect(answered.length).toBeGreaterThan(AFFORDABLE);
      expect(prove(await rig.accounts.since(mark)).refusals).toBe(refused.length);

      const posted = new Set(endings.map(({ requestId }) => requestId));
      const lines = (await rig.accounts.usage()).filter(({ requestId }) => posted.has(requestId));
      const sum = lines.reduce((total, { totalNanoEur }) => total + BigInt(totalNanoEur), 0n);
      const after = await rig.accounts.budget();
      expect(after.posted - before.posted).toBe(sum);
      expect(after.overrun).toBe(before.overrun);
      console.log(`${gateways} gateways: ${answered.length} answered, ${refused.length} refused`);
    });
  });
}
