import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ONE_OF_EACH } from './catalogue.ts';
import { ask, type FakeDirective, type Leaving, question, type Seen } from './client.ts';
import { type Rig, startRig } from './rig.ts';

let rig: Rig;
let mark: number;

beforeAll(async () => {
  rig = await startRig({ timeoutSeconds: 2 });
});
afterAll(() => rig?.close());
beforeEach(async () => {
  mark = await rig.accounts.mark();
});

/** One call of a route with a directive in the form that the route wants. */
function call(
  path: string,
  model: string,
  stream: boolean,
  directive: FakeDirective,
  leave: Leaving = {},
): Promise<Seen> {
  const body = path.endsWith('/responses')
    ? { model, stream, max_output_tokens: 100, input: question(directive) }
    : { model, stream, max_tokens: 100, messages: question(directive) };
  return ask(rig.gateways[0]?.url ?? '', path, body, { key: rig.apiKey, leave });
}

const chat = (model: string, stream: boolean, directive: FakeDirective, leave: Leaving = {}) =>
  call('/v1/chat/completions', model, stream, directive, leave);

const SLOW: FakeDirective = { promptTokens: 50, completionTokens: 40, chunks: 20, chunkDelayMs: 100 };

describe('a failure at the provider gives the hold back', () => {
  for (const model of ONE_OF_EACH) {
    for (const status of [500, 429, 400]) {
      for (const stream of [false, true]) {
        it(`${model} answers ${status} to all tries, ${stream ? 'streamed' : 'at once'}`, async () => {
          const seen = await chat(model, stream, { status });
          expect(seen.status).toBe(status);
          expect(await rig.accounts.endings(mark)).toMatchObject([{ kind: 'void', reason: 'upstream_failure' }]);
        });
      }
    }
  }
});

describe('a provider that breaks off', () => {
  for (const model of ONE_OF_EACH) {
    for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/messages']) {
      it(`${path} of ${model} is billed for what was streamed when upstream is cut`, async () => {
        await call(path, model, true, { ...SLOW, chunkDelayMs: 150, cutAfterChunks: 5 });
        const line = await rig.accounts.onlyPosting(mark);
        expect(line.inputTokens).toBeGreaterThan(0);
        expect(line.outputTokens).toBeGreaterThan(0);
        expect(line.outputTokens).toBeLessThan(40);
      });
    }
  }

  it('is billed for the question when it does not answer in time', async () => {
    const seen = await chat('gpt-4o-mini', false, { delayMs: 30_000 });
    expect(seen.status).toBe(408);
    const line = await rig.accounts.onlyPosting(mark);
    expect(line).toMatchObject({ outputTokens: 0, outcome: expect.anything() });
    expect(line.inputTokens).toBeGreaterThan(0);
    expect(line.inputTokens).toBeLessThanOrEqual(line.boundInputTokens);
  });

  it('hands a stream over to the fallback, which alone is billed, before any text came', async () => {
    const seen = await chat('gpt-4o', true, { ...SLOW, cutAfterChunks: 0, onlyModel: 'gpt-4o' });
    expect(seen.status).toBe(200);
    const line = await rig.accounts.onlyPosting(mark);
    expect(line).toMatchObject({ modelServed: 'claude-3-5-sonnet', inputTokens: 50, outputTokens: 40 });
  });

  it('is not handed over after text came: that is billed, and the client told', async () => {
    const seen = await chat('gpt-4o', true, { ...SLOW, chunkDelayMs: 150, cutAfterChunks: 5, onlyModel: 'gpt-4o' });
    expect(seen.text).toContain('"error"');
    const line = await rig.accounts.onlyPosting(mark);
    expect(line).toMatchObject({ modelServed: 'gpt-4o' });
    expect(line.outputTokens).toBeGreaterThan(0);
  });
});

describe('a client that goes away', () => {
  for (const model of ONE_OF_EACH) {
    for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/messages']) {
      it(`in the middle of a stream pays for what came: ${path} of ${model}`, async () => {
        const seen = await call(path, model, true, SLOW, { afterChunks: 6 });
        expect(seen.left).toBe(true);
        const line = await rig.accounts.onlyPosting(mark);
        expect(line.inputTokens).toBeGreaterThan(0);
        expect(line.outputTokens).toBeGreaterThan(0);
        expect(line.outputTokens).toBeLessThanOrEqual(40);
      });

      it(`before the first chunk pays for the question: ${path} of ${model}`, async () => {
        const seen = await call(path, model, true, { ...SLOW, delayMs: 1_500 }, { afterMs: 500 });
        expect(seen.left).toBe(true);
        const line = await rig.accounts.onlyPosting(mark);
        expect(line.inputTokens).toBeGreaterThan(0);
        expect(line.outputTokens).toBeLessThanOrEqual(40);
      });
    }

    it(`without streaming pays for the answer, which the provider finishes: ${model}`, async () => {
      const seen = await chat(
        model,
        false,
        { promptTokens: 50, completionTokens: 40, delayMs: 1_000 },
        { afterMs: 400 },
      );
      expect(seen.left).toBe(true);
      expect(await rig.accounts.onlyPosting(mark)).toMatchObject({ inputTokens: 50, outputTokens: 40 });
    });
  }

  it('at once leaves nothing behind, wherever its request had come to', async () => {
    for (const afterMs of [1, 3, 5, 8, 12, 20, 35, 60]) {
      await chat('gpt-4o-mini', true, { promptTokens: 10, completionTokens: 5 }, { afterMs });
    }
    const last = await chat('gpt-4o-mini', false, { promptTokens: 10, completionTokens: 5 });
    expect(last.status).toBe(200);
    await rig.accounts.endings(mark);
  });
});

it('the gateway says what it has open, and the comparison of the night finds nothing that does not add up', async () => {
  await chat('gpt-4o-mini', false, { promptTokens: 10, completionTokens: 5 });
  await rig.accounts.endings(mark);
  type Found = { faults: unknown[]; figures: { tenantsReported: number } };
  const compared = async () => (await rig.controlPlane.api<Found>('POST', '/v1/reconciliations', {})).body;
  await expect.poll(async () => (await compared()).figures.tenantsReported, { timeout: 30_000 }).toBe(1);
  expect((await compared()).faults).toEqual([]);
});
