import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHAT_MODELS } from './catalogue.ts';
import { ask, type FakeDirective, question } from './client.ts';
import { type Rig, startRig } from './rig.ts';

const REQUESTS = 120;
const AT_ONCE = 12;
/** Milliseconds for all of it: LiteLLM takes some 25 ms of CPU per request, retries of failures wait seconds. */
const FUZZ_TIMEOUT_MS = 240_000;
const SETTLED_TIMEOUT_MS = 60_000;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());

it(
  'ends every request exactly once while clients go away at random moments',
  async () => {
    const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
    console.log(`FUZZ_SEED=${seed}`);
    const random = mulberry32(seed);
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
    const mark = await rig.accounts.mark();
    const before = await rig.accounts.budget();

    // drawn before anything runs, so that the seed alone decides what is asked
    const plans = Array.from({ length: REQUESTS }, () => {
      const fate = random();
      const directive: FakeDirective = {
        promptTokens: 1 + Math.floor(random() * 60),
        completionTokens: 1 + Math.floor(random() * 40),
        chunks: 10,
        chunkDelayMs: Math.floor(random() * 60),
        delayMs: Math.floor(random() * 300),
        ...(fate < 0.1 && { status: pick([400, 429, 500]) }),
        ...(fate >= 0.1 && fate < 0.2 && { cutAfterChunks: 1 + Math.floor(random() * 8) }),
        ...(fate >= 0.2 && fate < 0.3 && { status: 500, failures: 1 }),
      };
      const path = pick(['/v1/chat/completions', '/v1/chat/completions', '/v1/responses', '/v1/messages']);
      const leave = random() < 0.4 ? { afterMs: Math.floor(random() * 900) } : {};
      return { path, model: pick(CHAT_MODELS), stream: random() < 0.7, directive, leave };
    });
    let left = 0;
    let answered = 0;
    await inParallel(plans, AT_ONCE, async ({ path, model, stream, directive, leave }) => {
      const text = path.endsWith('/responses')
        ? { max_output_tokens: 50, input: question(directive) }
        : { max_tokens: 50, messages: question(directive) };
      const url = rig.gateways[0]?.url ?? '';
      const seen = await ask(url, path, { model, stream, ...text }, { key: rig.apiKey, leave });
      if (seen.left) left += 1;
      else answered += 1;
    });

    const endings = await rig.accounts.endings(mark, { atLeast: answered, timeoutMs: SETTLED_TIMEOUT_MS });
    const kinds = Object.groupBy(endings, ({ kind }) => kind);
    console.log(`${left} left, ${answered} stayed: ${kinds.post?.length} posted, ${kinds.void?.length} voided`);
    expect(left + answered).toBe(REQUESTS);
    expect(kinds.expire).toBeUndefined();
    expect(endings.length).toBeGreaterThanOrEqual(answered);

    // the balance is the sum of the lines, and no line went above its hold
    const ended = new Set(endings.map(({ requestId }) => requestId));
    const lines = (await rig.accounts.usage()).filter(({ requestId }) => ended.has(requestId));
    const sum = lines.reduce((total, { totalNanoEur }) => total + BigInt(totalNanoEur), 0n);
    const after = await rig.accounts.budget();
    expect(after.posted - before.posted).toBe(sum);
    expect(after.overrun).toBe(before.overrun);
    expect(after.held).toBe(0n);
  },
  FUZZ_TIMEOUT_MS,
);

async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** A small generator of numbers in [0, 1) that a seed repeats. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
