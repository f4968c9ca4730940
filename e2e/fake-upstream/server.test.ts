import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../process/until.ts';
import { type FakeUpstream, startFakeUpstream } from './server.ts';

let upstream: FakeUpstream;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  client = new OpenAI({ baseURL: `${upstream.url}/v1`, apiKey: 'sk-secret-of-a-test', maxRetries: 0 });
});
afterAll(() => upstream.close());
beforeEach(() => upstream.log.clear());

const told = (directive: object) => `Hi [[fake ${JSON.stringify(directive)}]]`;
const user = (content: string) => ({ role: 'user' as const, content });

async function post(path: string, body: unknown, headers: Record<string, string> = { 'x-api-key': 'k' }) {
  const answer = await fetch(`${upstream.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers });
  return { status: answer.status, text: await answer.text() };
}

async function collect<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** The JSON of each server-sent event that holds any. */
function events(stream: string) {
  const lines = stream.split('\n').filter((line) => line.startsWith('data: {'));
  return lines.map((line) => JSON.parse(line.slice('data: '.length)));
}

describe('OpenAI', () => {
  it('answers a chat with the tokens a directive names, bounded by max_tokens', async () => {
    const content = told({ promptTokens: 10, completionTokens: 100 });
    const answer = await client.chat.completions.create({ model: 'gpt-4o', max_tokens: 7, messages: [user(content)] });
    expect(answer.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 7, total_tokens: 17 });
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'length', message: { role: 'assistant' } });
  });

  it('uses the whole bound when told so, once per choice', async () => {
    const request = { model: 'gpt-4o', max_completion_tokens: 50, n: 3 };
    const answer = await client.chat.completions.create({
      ...request,
      messages: [user(told({ completionTokens: 'max' }))],
    });
    expect(answer.usage?.completion_tokens).toBe(150);
    expect(answer.choices).toHaveLength(3);
  });

  it('counts one token for four characters when nothing is said, and answers alike each time', async () => {
    const ask = () => client.chat.completions.create({ model: 'gpt-4o', messages: [user('12345')] });
    const [one, two] = [await ask(), await ask()];
    expect(one.usage?.prompt_tokens).toBe(2);
    expect(one.choices[0]?.message.content).toContain('You said: 12345');
    expect({ ...one, id: '', created: 0 }).toEqual({ ...two, id: '', created: 0 });
  });

  it('streams the chunks a directive wants, and usage at the end when the caller includes it', async () => {
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      stream_options: { include_usage: true },
      messages: [user(told({ completionTokens: 20, chunks: 5, promptTokens: 3, cachedTokens: 2 }))],
    });
    const chunks = await collect(stream);
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.content)).toHaveLength(5);
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 20 });
    expect(chunks.at(-1)?.usage?.prompt_tokens_details?.cached_tokens).toBe(2);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  it('keeps usage out of a stream whose caller does not include it', async () => {
    const stream = await client.chat.completions.create({ model: 'gpt-4o', stream: true, messages: [user('hi')] });
    const chunks = await collect(stream);
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  it('breaks a stream after so many chunks', async () => {
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      messages: [user(told({ completionTokens: 20, chunks: 5, cutAfterChunks: 2 }))],
    });
    let chunks = 0;
    const read = async () => {
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) chunks += 1;
    };
    await expect(read()).rejects.toThrow();
    expect(chunks).toBe(2);
    expect(upstream.log.entries[0]).toMatchObject({ outcome: 'cut', chunksSent: 2 });
  });

  it('embeds texts as floats and as base64 alike', async () => {
    const request = { model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 40 };
    const floats = await client.embeddings.create({ ...request, encoding_format: 'float' });
    const base64 = await client.embeddings.create(request);
    expect(floats.data).toHaveLength(2);
    expect(floats.data[0]?.embedding).toHaveLength(40);
    expect(base64.data[1]?.embedding).toEqual(floats.data[1]?.embedding);
    expect(floats.usage).toEqual({ prompt_tokens: 1, total_tokens: 1 });
  });

  it('makes images with their token usage', async () => {
    const answer = await client.images.generate({ model: 'gpt-image-1', prompt: 'a cloud', n: 2 });
    expect(answer.data).toHaveLength(2);
    expect(answer.usage).toMatchObject({ input_tokens: 2, output_tokens: 2112 });
  });

  it('answers the responses interface, whole and streamed', async () => {
    const request = { model: 'gpt-4o', input: told({ completionTokens: 30, promptTokens: 5, text: 'some words' }) };
    const whole = await client.responses.create(request);
    expect(whole.output_text).toBe('some words');
    expect(whole.usage).toMatchObject({ input_tokens: 5, output_tokens: 30, total_tokens: 35 });
    const streamed = await collect(await client.responses.create({ ...request, stream: true }));
    const deltas = streamed.filter((event) => event.type === 'response.output_text.delta');
    expect(deltas.map((event) => event.delta).join('')).toBe('some words');
    expect(streamed.at(-1)).toMatchObject({ type: 'response.completed', response: { usage: { total_tokens: 35 } } });
  });

  it('lists models without a key', async () => {
    const answer = await fetch(`${upstream.url}/v1/models`);
    expect(await answer.json()).toMatchObject({ object: 'list' });
  });
});

describe('Anthropic', () => {
  const request = (directive: object, stream = false) => ({
    model: 'claude-3-5-sonnet',
    max_tokens: 12,
    stream,
    system: 'be brief',
    messages: [{ role: 'user', content: [{ type: 'text', text: told(directive) }] }],
  });

  it('answers a message with its input tokens parted by cache', async () => {
    const directive = { promptTokens: 100, cachedTokens: 60, cacheWriteTokens: 30, completionTokens: 'max' };
    const answer = JSON.parse((await post('/v1/messages', request(directive))).text);
    expect(answer).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'max_tokens' });
    expect(answer.usage).toEqual({
      input_tokens: 10,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 60,
      output_tokens: 12,
    });
  });

  it('streams the events in the order of its interface', async () => {
    const answer = await post('/v1/messages', request({ completionTokens: 4, chunks: 2 }, true));
    const types = events(answer.text).map((event) => event.type);
    expect(types).toEqual([
      ...['message_start', 'content_block_start', 'ping', 'content_block_delta', 'content_block_delta'],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ]);
    expect(answer.text).toContain('event: message_delta\n');
    expect(events(answer.text).at(-2)).toMatchObject({ usage: { output_tokens: 4 } });
  });

  it('refuses a message without max_tokens in its own words', async () => {
    const answer = await post('/v1/messages', { ...request({}), max_tokens: undefined });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });
});

describe('Gemini', () => {
  const body = (directive: object) => ({
    contents: [{ role: 'user', parts: [{ text: told(directive) }] }],
    generationConfig: { maxOutputTokens: 9 },
  });
  const path = '/v1beta/models/gemini-2.0-flash';

  it('answers with usage metadata and the reason it ended', async () => {
    const answer = await post(`${path}:generateContent`, body({ promptTokens: 3, completionTokens: 'max' }));
    expect(JSON.parse(answer.text)).toMatchObject({
      candidates: [{ finishReason: 'MAX_TOKENS', content: { role: 'model' } }],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 9, totalTokenCount: 12 },
      modelVersion: 'gemini-2.0-flash',
    });
  });

  it('streams with whole usage on the last event only', async () => {
    const directive = { promptTokens: 3, completionTokens: 5, chunks: 2 };
    const answer = await post(`${path}:streamGenerateContent?alt=sse&key=k`, body(directive), {});
    const found = events(answer.text);
    expect(found).toHaveLength(2);
    expect(found[0].usageMetadata.candidatesTokenCount).toBe(0);
    expect(found[1]).toMatchObject({
      candidates: [{ finishReason: 'STOP' }],
      usageMetadata: { candidatesTokenCount: 5, totalTokenCount: 8 },
    });
  });
});

describe('failures and the log', () => {
  it.each([
    ['/v1/chat/completions', { error: { type: 'rate_limit_error' } }],
    ['/v1/messages', { type: 'error', error: { type: 'rate_limit_error' } }],
    ['/v1beta/models/g:generateContent', { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } }],
  ])('fails at %s with the status it is told, in that provider’s words', async (path, expected) => {
    const text = told({ status: 429 });
    const messages = [{ role: 'user', content: text }];
    const answer = await post(path, { model: 'm', max_tokens: 5, messages, contents: [{ parts: [{ text }] }] });
    expect(answer.status).toBe(429);
    expect(JSON.parse(answer.text)).toMatchObject(expected);
  });

  it('fails so many times, then answers; and only the model it is told to', async () => {
    const ask = (model: string, directive: object) =>
      post('/v1/chat/completions', { model, messages: [user(told(directive))] });
    const twice = { status: 500, failures: 2, text: 'fails twice' };
    const statuses = [];
    for (let attempt = 0; attempt < 3; attempt += 1) statuses.push((await ask('a', twice)).status);
    expect(statuses).toEqual([500, 500, 200]);
    const onlyA = { status: 503, onlyModel: 'a' };
    expect([(await ask('a', onlyA)).status, (await ask('b', onlyA)).status]).toEqual([503, 200]);
  });

  it('refuses a call without a key, and a directive that is no JSON', async () => {
    expect((await post('/v1/chat/completions', { model: 'm', messages: [user('x')] }, {})).status).toBe(401);
    const malformed = { model: 'm', messages: [user('[[fake {oops} ]]')] };
    expect((await post('/v1/chat/completions', malformed)).status).toBe(400);
  });

  it('remembers what was asked, without the key, and forgets on request', async () => {
    await client.chat.completions.create({ model: 'gpt-4o', max_tokens: 5, messages: [user('hi')] });
    const read = async () => JSON.stringify(await (await fetch(`${upstream.url}/_log`)).json());
    const shown = await read();
    expect(JSON.parse(shown)).toMatchObject([
      { method: 'POST', path: '/v1/chat/completions', model: 'gpt-4o', max_tokens: 5, outcome: 'answered' },
    ]);
    expect(shown).not.toContain('sk-secret-of-a-test');
    await fetch(`${upstream.url}/_log`, { method: 'DELETE' });
    expect(await read()).toBe('[]');
  });

  it('stops a stream whose caller has gone and remembers that', async () => {
    const stream = await client.chat.completions.create({
      model: 'gpt-4o',
      stream: true,
      messages: [user(told({ completionTokens: 100, chunks: 100, chunkDelayMs: 20 }))],
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    const look = () => upstream.log.entries.find((found) => found.aborted);
    const entry = await until('the aborted request', look, { timeoutMs: 5_000 });
    expect(entry).toMatchObject({ outcome: 'aborted', aborted: true });
    expect(entry.chunksSent).toBeLessThan(100);
  });
});
