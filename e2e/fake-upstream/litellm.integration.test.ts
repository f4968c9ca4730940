import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answers, freePort, type Spawned, spawnServer } from '../gateway/spawned.ts';
import { pythonEnvironment } from '../images/python-env.ts';
import { progress } from '../process/progress.ts';
import { type FakeUpstream, startFakeUpstream } from './server.ts';

/** Milliseconds LiteLLM may take to start on two busy cores. */
const START_TIMEOUT_MS = 120_000;
const KEY = 'sk-of-this-test';

let folder: string;
let upstream: FakeUpstream;
let litellm: Spawned;
let client: OpenAI;

beforeAll(async () => {
  const bin = await pythonEnvironment('litellm', progress('python'));
  upstream = await startFakeUpstream();
  folder = await mkdtemp(path.join(tmpdir(), 'litellm-'));
  const model = (name: string, provider: string, base: string) => ({
    model_name: name,
    litellm_params: { model: provider, api_base: `${upstream.url}${base}`, api_key: 'sk-provider' },
  });
  const configuration = {
    model_list: [
      model('openai', 'openai/gpt-4o', '/v1'),
      model('anthropic', 'anthropic/claude-3-5-sonnet', ''),
      model('gemini', 'gemini/gemini-2.0-flash', '/v1beta'),
      model('embedding', 'openai/text-embedding-3-small', '/v1'),
      model('image', 'openai/gpt-image-1', '/v1'),
    ],
    general_settings: { master_key: KEY },
    // the prometheus callback proves that the lock holds what it needs
    litellm_settings: { num_retries: 0, callbacks: ['prometheus'] },
  };
  // JSON is YAML
  await writeFile(path.join(folder, 'config.yaml'), JSON.stringify(configuration));
  const port = await freePort();
  const settings = { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_MODE: 'PRODUCTION', LITELLM_LOG: 'CRITICAL' };
  litellm = await spawnServer('LiteLLM', {
    command: path.join(bin, 'litellm'),
    args: ['--config', path.join(folder, 'config.yaml'), '--host', '127.0.0.1', '--port', `${port}`],
    env: { PATH: `${bin}:/usr/bin:/bin`, HOME: folder, ...settings },
    ready: () => answers(`http://127.0.0.1:${port}/health/readiness`),
    readyTimeoutMs: START_TIMEOUT_MS,
  });
  client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: KEY, maxRetries: 0 });
});

afterAll(async () => {
  await litellm?.stop('SIGKILL');
  await upstream?.close();
  if (folder) await rm(folder, { recursive: true });
});

beforeEach(() => upstream.log.clear());

const DIRECTIVE = { promptTokens: 100, cachedTokens: 40, completionTokens: 'max', chunks: 5 };
const told = (directive: object) => `Hi [[fake ${JSON.stringify(directive)}]]`;
const ask = (directive: object) => [{ role: 'user' as const, content: told(directive) }];

describe.each(['openai', 'anthropic', 'gemini'])('LiteLLM asking the fake %s', (model) => {
  it('reads text, every kind of token and the end of a whole answer', async () => {
    const answer = await client.chat.completions.create({ model, max_tokens: 30, messages: ask(DIRECTIVE) });
    expect(answer.usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 30, total_tokens: 130 });
    expect(answer.usage?.prompt_tokens_details?.cached_tokens).toBe(40);
    expect(answer.choices[0]?.finish_reason).toBe('length');
    expect(answer.choices[0]?.message.content).toContain('the cloud is free');
    expect(upstream.log.entries).toMatchObject([{ max_tokens: 30, outcome: 'answered' }]);
  });

  it('reads the same from a stream', async () => {
    const request = { model, max_tokens: 30, messages: ask(DIRECTIVE), stream_options: { include_usage: true } };
    const stream = await client.chat.completions.create({ ...request, stream: true });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toContain('the cloud is free');
    expect(usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 30 });
    expect(usage?.prompt_tokens_details?.cached_tokens).toBe(40);
    expect(upstream.log.entries).toMatchObject([{ stream: true, outcome: 'answered', chunksSent: 5 }]);
  });

  it('reads a refusal for too many requests', async () => {
    const request = { model, max_tokens: 30, messages: ask({ status: 429 }) };
    await expect(client.chat.completions.create(request)).rejects.toMatchObject({ status: 429 });
  });

  it('notices that a stream was broken off', async () => {
    const request = { model, max_tokens: 30, messages: ask({ ...DIRECTIVE, cutAfterChunks: 2 }) };
    const read = async () => {
      const stream = await client.chat.completions.create({ ...request, stream: true });
      for await (const _ of stream);
    };
    await expect(read()).rejects.toThrow();
    expect(upstream.log.entries).toMatchObject([{ outcome: 'cut', chunksSent: 2 }]);
  });

  it('reads an answer through the responses interface', async () => {
    const answer = await client.responses.create({ model, max_output_tokens: 30, input: told(DIRECTIVE) });
    expect(answer.usage).toMatchObject({ input_tokens: 100, output_tokens: 30 });
    expect(answer.status).toBe('incomplete');
  });
});

it('reads tokens written to Anthropic’s cache', async () => {
  const messages = ask({ ...DIRECTIVE, cacheWriteTokens: 20 });
  const answer = await client.chat.completions.create({ model: 'anthropic', max_tokens: 30, messages });
  expect(answer.usage).toMatchObject({ prompt_tokens: 100, cache_creation_input_tokens: 20 });
});

it('reads embeddings and images', async () => {
  const embedded = await client.embeddings.create({ model: 'embedding', input: ['a', 'b'], dimensions: 64 });
  expect(embedded.data.map((entry) => entry.embedding.length)).toEqual([64, 64]);
  expect(embedded.usage.prompt_tokens).toBe(1);
  const drawn = await client.images.generate({ model: 'image', prompt: 'a cloud', n: 2 });
  expect(drawn.data).toHaveLength(2);
});

it('is counted by the prometheus callback', async () => {
  const url = client.baseURL.replace(/\/v1$/, '/metrics/');
  const answer = await fetch(url, { headers: { authorization: `Bearer ${KEY}` } });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('litellm_proxy_total_requests_metric');
});
