import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHAT_MODELS, EMBEDDING_MODEL, IMAGE_MODEL, ONE_OF_EACH } from './catalogue.ts';
import { ask, eventsOf, type FakeDirective, question, textOf } from './client.ts';
import { type Rig, startRig } from './rig.ts';

/** Tokens of most answers here; a whole is told from its parts by these figures. */
const USED: FakeDirective = { promptTokens: 100, completionTokens: 20 };

let rig: Rig;
let mark: number;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());
beforeEach(async () => {
  mark = await rig.accounts.mark();
});

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  ask(rig.gateways[0]?.url ?? '', path, body, { key: rig.apiKey, headers });

/** Calls to the provider since its log was cleared. */
const providerCalls = () => rig.upstream.log.entries.filter(({ method }) => method === 'POST');

describe('an answer is billed once, with the tokens it really used', () => {
  for (const model of CHAT_MODELS) {
    for (const stream of [false, true]) {
      it(`${model}, ${stream ? 'streamed' : 'at once'}`, async () => {
        const seen = await post('/v1/chat/completions', { model, stream, messages: question(USED) });
        expect(seen.status).toBe(200);
        expect(textOf(seen).split(' ')).toHaveLength(20);
        const line = await rig.accounts.onlyPosting(mark);
        expect(line).toMatchObject({ model, modelServed: model, callType: 'chat', inputTokens: 100, outputTokens: 20 });
        expect(line.boundInputTokens).toBeGreaterThan(0);
        expect(BigInt(line.totalNanoEur)).toBeGreaterThan(0n);
        expect(BigInt(line.overrunNanoEur)).toBe(0n);
      });
    }
  }

  it('cached and newly cached input are told apart from the rest', async () => {
    const directive = { promptTokens: 100, cachedTokens: 30, cacheWriteTokens: 20, completionTokens: 10 };
    await post('/v1/chat/completions', { model: 'claude-3-opus', messages: question(directive) });
    const line = await rig.accounts.onlyPosting(mark);
    expect(line).toMatchObject({ inputTokens: 50, cachedInputTokens: 30, cacheWriteTokens: 20, outputTokens: 10 });
  });

  it('heard input is told apart from what was read', async () => {
    const directive = { promptTokens: 100, cachedTokens: 10, audioTokens: 30, completionTokens: 10 };
    await post('/v1/chat/completions', { model: 'gpt-4o-mini', messages: question(directive) });
    const line = await rig.accounts.onlyPosting(mark);
    expect(line).toMatchObject({ inputTokens: 60, cachedInputTokens: 10, audioInputTokens: 30, outputTokens: 10 });
  });

  for (const model of ONE_OF_EACH) {
    for (const stream of [false, true]) {
      it(`/v1/responses with ${model}, ${stream ? 'streamed' : 'at once'}`, async () => {
        const body = { model, stream, max_output_tokens: 50, input: question(USED) };
        expect((await post('/v1/responses', body)).status).toBe(200);
        const line = await rig.accounts.onlyPosting(mark);
        expect(line).toMatchObject({ callType: 'responses', modelServed: model, inputTokens: 100, outputTokens: 20 });
        expect(line.boundOutputTokens).toBe(50);
      });

      it(`/v1/messages with ${model}, ${stream ? 'streamed' : 'at once'}`, async () => {
        const body = { model, stream, max_tokens: 50, messages: question(USED) };
        expect((await post('/v1/messages', body)).status).toBe(200);
        const line = await rig.accounts.onlyPosting(mark);
        expect(line).toMatchObject({ callType: 'messages', modelServed: model, inputTokens: 100, outputTokens: 20 });
      });
    }
  }

  it('embeddings', async () => {
    const seen = await post('/v1/embeddings', { model: EMBEDDING_MODEL, input: ['a word', 'another'] });
    expect(JSON.parse(seen.text).data).toHaveLength(2);
    const line = await rig.accounts.onlyPosting(mark);
    expect(line).toMatchObject({ callType: 'embedding', outputTokens: 0 });
    expect(line.inputTokens).toBeGreaterThan(0);
  });

  it('images, by the picture', async () => {
    const seen = await post('/v1/images/generations', { model: IMAGE_MODEL, prompt: 'a free cloud', n: 2 });
    expect(JSON.parse(seen.text).data).toHaveLength(2);
    expect(await rig.accounts.onlyPosting(mark)).toMatchObject({ callType: 'image', images: 2, outputTokens: 0 });
  });

  it('several choices are bounded and billed together', async () => {
    const body = { model: 'gpt-4o-mini', n: 3, max_tokens: 7, messages: question({ completionTokens: 'max' }) };
    await post('/v1/chat/completions', body);
    const line = await rig.accounts.onlyPosting(mark);
    expect(line).toMatchObject({ outputTokens: 21, boundOutputTokens: 21 });
  });
});

describe('who asked', () => {
  it('is the user whom Open WebUI names, with the chat key', async () => {
    const headers = {
      'x-openwebui-user-id': 'u-1',
      'x-openwebui-user-name': 'J%C3%B6rg',
      'x-openwebui-user-email': 'j@example.org',
    };
    const body = { model: 'gpt-4o-mini', messages: question(USED) };
    await ask(rig.gateways[0]?.url ?? '', '/v1/chat/completions', body, { key: rig.chatKey, headers });
    expect(JSON.stringify((await rig.accounts.onlyPosting(mark)).user)).toContain('u-1');
  });

  it('is nobody whom the holder of an API key names', async () => {
    const body = { model: 'gpt-4o-mini', messages: question(USED) };
    await post('/v1/chat/completions', body, { 'x-openwebui-user-id': 'somebody-else' });
    expect(JSON.stringify((await rig.accounts.onlyPosting(mark)).user ?? null)).not.toContain('somebody-else');
  });
});

describe('a key', () => {
  it('is also taken where Anthropic’s clients put it', async () => {
    const headers = { authorization: '', 'x-api-key': rig.apiKey, 'anthropic-version': '2023-06-01' };
    const body = { model: 'claude-3-5-haiku', max_tokens: 50, messages: question(USED) };
    expect((await post('/v1/messages', body, headers)).status).toBe(200);
    await rig.accounts.onlyPosting(mark);
  });
});

describe('the bound that is held', () => {
  it('is enforced at the provider when the client sets none', async () => {
    rig.upstream.log.clear();
    await post('/v1/chat/completions', { model: 'gpt-4o-mini', messages: question(USED) });
    const line = await rig.accounts.onlyPosting(mark);
    expect(providerCalls().map((call) => call.max_tokens)).toEqual([line.boundOutputTokens]);
  });

  it('covers every token a text of many scripts can have', async () => {
    const text = 'Grüße 🙂 中文字符 ﷽ العربية '.repeat(20);
    const body = { model: 'gpt-4o-mini', messages: question({ completionTokens: 1 }, text) };
    await post('/v1/chat/completions', body);
    const line = await rig.accounts.onlyPosting(mark);
    expect(line.boundInputTokens).toBeGreaterThan(Buffer.byteLength(text));
  });

  it('joins hook and control plane in the caller’s trace', async () => {
    const trace = 'a0b1c2d3e4f5061728394a5b6c7d8e9f';
    const body = { model: 'gpt-4o-mini', messages: question(USED) };
    await post('/v1/chat/completions', body, { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
    expect((await rig.accounts.onlyPosting(mark)).traceId).toBe(trace);
  });
});

describe('a stream', () => {
  it('shows its usage to the client that asks for it, and to no other', async () => {
    const ordinary = await post('/v1/chat/completions', {
      model: 'gpt-4o-mini',
      stream: true,
      messages: question(USED),
    });
    expect(eventsOf(ordinary).some((event) => event.usage)).toBe(false);
    const options = { stream: true, stream_options: { include_usage: true } };
    const asking = await post('/v1/chat/completions', { model: 'gpt-4o-mini', ...options, messages: question(USED) });
    expect(eventsOf(asking).at(-1)?.usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 20 });
    expect(await rig.accounts.endings(mark, { atLeast: 2 })).toHaveLength(2);
  });
});

describe('an answer by another way', () => {
  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'at once';
    it(`after a retry is billed once, ${how}`, async () => {
      rig.upstream.log.clear();
      const messages = question({ ...USED, status: 500, failures: 1 });
      expect((await post('/v1/chat/completions', { model: 'gpt-4o-mini', stream, messages })).status).toBe(200);
      expect(providerCalls()).toHaveLength(2);
      expect(await rig.accounts.onlyPosting(mark)).toMatchObject({ inputTokens: 100, outputTokens: 20 });
    });

    it(`from the fallback is billed at the fallback’s price, ${how}`, async () => {
      const messages = question({ ...USED, status: 500, onlyModel: 'gpt-4o' });
      expect((await post('/v1/chat/completions', { model: 'gpt-4o', stream, messages })).status).toBe(200);
      const line = await rig.accounts.onlyPosting(mark);
      expect(line).toMatchObject({ model: 'gpt-4o', modelServed: 'claude-3-5-sonnet', inputTokens: 100 });
    });

    it(`from the cache costs nothing, ${how}`, async () => {
      const body = { model: 'gpt-4o-mini', stream, messages: question(USED), cache: { 'use-cache': true } };
      const first = await post('/v1/chat/completions', body);
      await rig.accounts.onlyPosting(mark);
      rig.upstream.log.clear();
      mark = await rig.accounts.mark();
      const second = await post('/v1/chat/completions', body);
      expect(textOf(second)).toBe(textOf(first));
      expect(providerCalls()).toHaveLength(0);
      expect((await rig.accounts.onlyPosting(mark)).totalNanoEur).toBe('0');
    });
  }

  it('is never taken from the cache unasked', async () => {
    rig.upstream.log.clear();
    const body = { model: 'gpt-4o-mini', messages: question(USED) };
    await post('/v1/chat/completions', body);
    await post('/v1/chat/completions', body);
    expect(providerCalls()).toHaveLength(2);
    await rig.accounts.endings(mark, { atLeast: 2 });
  });
});

it('no answer had tokens that the provider counted and no bucket holds', async () => {
  expect(await rig.controlPlane.metrics()).toMatch(/^cloudfreedom_usage_sum_mismatches_total 0$/m);
});
