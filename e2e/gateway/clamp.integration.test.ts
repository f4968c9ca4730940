import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, errorOf, type FakeDirective, question, type Seen } from './client.ts';
import { type Rig, startRig } from './rig.ts';

/** Tells a client that its answer may be shorter than it asked for. */
const HEADER = 'x-cloudfreedom-max-tokens-clamped';
/** What is asked for, and what an answer uses of it. */
const MAX_TOKENS = 2_000;
const USED: FakeDirective = { promptTokens: 10, completionTokens: 20 };
/** More than a useful answer costs here, and less than `MAX_TOKENS` do. */
const HALF_OF_IT = 700_000n;
const ENOUGH = 100_000_000_000n;

let rig: Rig;
let mark: number;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());
beforeEach(async () => {
  await rig.accounts.makeAvailable(HALF_OF_IT);
  rig.upstream.log.clear();
  mark = await rig.accounts.mark();
});

const post = (path: string, body: object): Promise<Seen> =>
  ask(rig.gateways[0]?.url ?? '', path, body, { key: rig.apiKey });

const calls = () => rig.upstream.log.entries.filter(({ method }) => method === 'POST');

describe('an answer that is not affordable as a whole is shortened to what is', () => {
  const ways: [string, string, object][] = [
    ['chat/completions', '/v1/chat/completions', { max_tokens: MAX_TOKENS, messages: question(USED) }],
    [
      'chat/completions, by its newer name',
      '/v1/chat/completions',
      { max_completion_tokens: MAX_TOKENS, messages: question(USED) },
    ],
    ['chat/completions without a limit', '/v1/chat/completions', { messages: question(USED) }],
    ['responses', '/v1/responses', { max_output_tokens: MAX_TOKENS, input: question(USED) }],
    ['messages', '/v1/messages', { max_tokens: MAX_TOKENS, messages: question(USED) }],
  ];
  for (const [what, path, body] of ways) {
    for (const stream of [false, true]) {
      it(`${what}, ${stream ? 'streamed' : 'at once'}`, async () => {
        const seen = await post(path, { model: 'gpt-4o-mini', stream, ...body });
        expect(seen.status).toBe(200);
        const granted = Number(seen.headers.get(HEADER));
        expect(granted).toBeGreaterThanOrEqual(256);
        expect(granted).toBeLessThan(MAX_TOKENS);
        expect(calls().map((call) => call.max_tokens)).toEqual([granted]);
        const line = await rig.accounts.onlyPosting(mark);
        expect(line.boundOutputTokens).toBe(granted);
        expect(line.clampedFromOutputTokens).toBeGreaterThanOrEqual(MAX_TOKENS);
        expect(BigInt(line.holdNanoEur)).toBeLessThanOrEqual(HALF_OF_IT);
        expect(BigInt(line.overrunNanoEur)).toBe(0n);
      });
    }
  }

  it('several choices share it', async () => {
    await rig.accounts.makeAvailable(2n * HALF_OF_IT);
    mark = await rig.accounts.mark();
    const body = { model: 'gpt-4o-mini', n: 3, max_tokens: MAX_TOKENS, messages: question(USED) };
    const seen = await post('/v1/chat/completions', body);
    const granted = Number(seen.headers.get(HEADER));
    expect(granted).toBeGreaterThanOrEqual(256);
    const { boundOutputTokens } = await rig.accounts.onlyPosting(mark);
    expect(Math.floor(boundOutputTokens / 3)).toBe(granted);
  });

  it('and what it used is what it costs: the rest is there for the next', async () => {
    const body = { model: 'gpt-4o-mini', max_tokens: MAX_TOKENS, messages: question(USED) };
    await post('/v1/chat/completions', body);
    const { totalNanoEur } = await rig.accounts.onlyPosting(mark);
    expect((await rig.accounts.budget()).available).toBe(HALF_OF_IT - BigInt(totalNanoEur));
  });
});

describe('nothing is shortened', () => {
  it('where the whole is affordable: no header', async () => {
    await rig.accounts.makeAvailable(ENOUGH);
    mark = await rig.accounts.mark();
    for (const stream of [false, true]) {
      const body = { model: 'gpt-4o-mini', stream, max_tokens: MAX_TOKENS, messages: question(USED) };
      const seen = await post('/v1/chat/completions', body);
      expect(seen.status).toBe(200);
      expect(seen.headers.get(HEADER)).toBeNull();
    }
    await rig.accounts.endings(mark, { atLeast: 2 });
  });

  it('below what the client lets the model think first: that is refused', async () => {
    const body = { model: 'gpt-4o-mini', max_tokens: 4_000, reasoning_effort: 'high', messages: question(USED) };
    const seen = await post('/v1/chat/completions', body);
    expect(seen.status).toBe(402);
    expect(errorOf(seen).code).toBe('budget_spent');
    expect(seen.headers.get(HEADER)).toBeNull();
    expect(calls()).toEqual([]);
  });
});
