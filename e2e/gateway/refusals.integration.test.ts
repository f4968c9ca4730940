import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, errorOf, type FakeDirective, question, type Seen } from './client.ts';
import { type Rig, startRig } from './rig.ts';

const USED: FakeDirective = { promptTokens: 50, completionTokens: 20 };
/** More than any test here spends. */
const ENOUGH = 100_000_000_000n;

let rig: Rig;
let mark: number;

beforeAll(async () => {
  rig = await startRig({ language: 'de' });
});
afterAll(() => rig?.close());
beforeEach(async () => {
  await rig.accounts.makeAvailable(ENOUGH);
  rig.upstream.log.clear();
  mark = await rig.accounts.mark();
});

const chat = (extra: object = {}, directive = USED) => ({
  model: 'gpt-4o-mini',
  max_tokens: 100,
  messages: question(directive),
  ...extra,
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}, key = rig.apiKey): Promise<Seen> =>
  ask(rig.gateways[0]?.url ?? '', path, body, { key, headers });

/** Nothing reached a provider and nothing is held or billed. */
async function nothingHappened(): Promise<void> {
  expect(rig.upstream.log.entries.filter(({ method }) => method === 'POST')).toEqual([]);
  expect((await rig.accounts.since(mark)).filter(({ kind }) => kind === 'hold' || kind === 'post')).toEqual([]);
}

describe('a caller without a valid key', () => {
  const strangers: [string, () => string][] = [
    ['an unknown key', () => 'cf-unknown-unknown-unknown-unknown-unknown-unk'],
    ['LiteLLM’s master key', () => rig.masterKey],
    ['an empty key', () => ''],
  ];
  for (const [what, key] of strangers) {
    it(`is turned away: ${what}`, async () => {
      const seen = await post('/v1/chat/completions', chat(), {}, key());
      expect(seen.status).toBe(401);
      expect(errorOf(seen)).toMatchObject({ type: 'authentication_error', code: 'invalid_api_key' });
      await nothingHappened();
    });
  }

  it('sees no models either', async () => {
    const seen = await ask(rig.gateways[0]?.url ?? '', '/v1/models', '', { key: 'cf-unknown', method: 'GET' });
    expect(seen.status).toBe(401);
  });
});

describe('the chat’s key', () => {
  it('is refused from outside the cluster', async () => {
    const seen = await post('/v1/chat/completions', chat(), { 'x-forwarded-host': 'demo.example.org' }, rig.chatKey);
    expect(seen.status).toBe(401);
    expect(errorOf(seen).code).toBe('chat_key_outside');
    await nothingHappened();
  });

  it('lists the models inside', async () => {
    const seen = await ask(rig.gateways[0]?.url ?? '', '/v1/models', '', { key: rig.chatKey, method: 'GET' });
    expect(JSON.parse(seen.text).data.map(({ id }: { id: string }) => id)).toContain('gpt-4o');
  });
});

describe('what is not offered', () => {
  const routes: [string, string, unknown][] = [
    ['text completions', '/v1/completions', { model: 'gpt-4o-mini', prompt: 'free?', stream: true }],
    ['Gemini’s own format', '/v1beta/models/gemini-1.5-pro:streamGenerateContent', { contents: [] }],
    ['Gemini’s own format, another path', '/models/gemini-1.5-pro:generateContent', { contents: [] }],
    ['pass-through', '/openai/v1/chat/completions', { model: 'gpt-4o-mini', messages: [] }],
    ['pass-through to Anthropic', '/anthropic/v1/messages', { model: 'claude-3-opus', messages: [] }],
    ['Azure’s paths', '/openai/deployments/gpt-4o/chat/completions', { messages: [] }],
    ['engines', '/engines/gpt-4o/chat/completions', { messages: [] }],
    ['speech', '/v1/audio/speech', { model: 'gpt-4o-mini', input: 'x', voice: 'y' }],
    ['batches', '/v1/batches', { input_file_id: 'x', endpoint: '/v1/chat/completions' }],
    ['image edits', '/v1/images/edits', {}],
    ['moderations', '/v1/moderations', { input: 'x' }],
    ['rerank', '/v1/rerank', { query: 'x', documents: [] }],
    ['token counting', '/v1/messages/count_tokens', { model: 'claude-3-opus', messages: [] }],
    ['key management', '/key/generate', {}],
    ['model management', '/model/new', { model_name: 'mine', litellm_params: { model: 'openai/x' } }],
    ['configuration', '/config/update', {}],
    ['cache management', '/cache/flushall', {}],
  ];
  for (const [what, path, body] of routes) {
    it(`is refused: ${what}`, async () => {
      expect((await post(path, body)).status).toBe(404);
      await nothingHappened();
    });
  }

  it('reads well', async () => {
    const error = errorOf(await post('/v1/completions', { model: 'gpt-4o-mini', prompt: 'x' }));
    expect(error).toMatchObject({ code: 'route_not_offered', message: expect.stringContaining('chat/completions') });
  });

  const tools: [string, string, object][] = [
    ['web search', '/v1/chat/completions', { type: 'web_search' }],
    ['Google’s search', '/v1/chat/completions', { googleSearch: {} }],
    ['web search of Responses', '/v1/responses', { type: 'web_search_preview' }],
    ['remote servers of Responses', '/v1/responses', { type: 'mcp', server_url: 'https://example.org' }],
    ['web search of Messages', '/v1/messages', { type: 'web_search_20250305', name: 'web_search' }],
  ];
  for (const [what, path, tool] of tools) {
    it(`names the tool that has no bound: ${what}`, async () => {
      const body = path.endsWith('responses')
        ? { model: 'gpt-4o-mini', input: 'x', tools: [tool] }
        : chat({ tools: [tool] });
      const seen = await post(path, body);
      expect(seen.status).toBe(400);
      expect(seen.text).toContain(Object.values(tool).find((value) => typeof value === 'string') ?? 'googleSearch');
      await nothingHappened();
    });
  }
});

describe('a request that makes no sense', () => {
  const bodies: [string, unknown][] = [
    ['no JSON', '{"model":'],
    ['no model', { messages: [] }],
    ['a model that is no text', { model: ['gpt-4o'], messages: [] }],
    ['no messages', { model: 'gpt-4o-mini' }],
    ['messages that are a text', { model: 'gpt-4o-mini', messages: 'hello' }],
    ['a limit below one', { model: 'gpt-4o-mini', messages: [], max_tokens: 0 }],
    ['a limit that is no number', { model: 'gpt-4o-mini', messages: [], max_tokens: 'all' }],
    ['a thousand choices', { model: 'gpt-4o-mini', messages: [], n: 1000 }],
  ];
  for (const [what, body] of bodies) {
    it(`is told so: ${what}`, async () => {
      const seen = await post('/v1/chat/completions', body);
      expect(seen.status).toBe(400);
      expect(errorOf(seen).message.length).toBeGreaterThan(10);
      await nothingHappened();
    });
  }

  for (const model of ['gpt-5-unheard-of', 'gpt-4o,claude-3-opus', 'gpt-4o/openai']) {
    it(`is told so: the model ${model}`, async () => {
      const seen = await post('/v1/chat/completions', chat({ model }));
      expect(seen.status).toBe(404);
      await nothingHappened();
    });
  }
});

describe('a client that would rather not pay', () => {
  const dodges: [string, object, Record<string, string>][] = [
    ['asks for no log', { 'no-log': true }, {}],
    [
      'brings its own request id',
      { metadata: { cloudfreedom_request_id: 'mine' }, litellm_metadata: { cloudfreedom_request_id: 'mine' } },
      {},
    ],
    ['brings an answer of its own', { mock_response: 'free', mock_tool_calls: [] }, {}],
    ['steers the cache', { cache: { 'no-store': true, namespace: 'mine', ttl: 9_999 } }, {}],
    ['names prices', { metadata: { model_info: { input_cost_per_token: 0 } } }, {}],
    [
      'turns callbacks off',
      { litellm_disabled_callbacks: ['all'], callbacks: [] },
      { 'x-litellm-disable-callbacks': 'all' },
    ],
    [
      'sets headers of LiteLLM',
      {},
      { 'x-litellm-call-id': 'mine', 'x-litellm-timeout': '0.001', 'x-litellm-tags': 'free' },
    ],
    [
      'orders the dearest service',
      { service_tier: 'priority', prediction: { type: 'content', content: 'x' } },
      { 'anthropic-beta': 'context-1m-2025-08-07' },
    ],
    ['names a model in the query', {}, {}],
  ];
  for (const [what, extra, headers] of dodges) {
    it(`pays all the same when it ${what}`, async () => {
      const path = what.includes('query') ? '/v1/chat/completions?foo=bar' : '/v1/chat/completions';
      expect((await post(path, chat(extra), headers)).status).toBe(200);
      const line = await rig.accounts.onlyPosting(mark);
      expect(line).toMatchObject({
        model: 'gpt-4o-mini',
        modelServed: 'gpt-4o-mini',
        inputTokens: 50,
        outputTokens: 20,
      });
      const [call] = rig.upstream.log.entries.slice(-1);
      expect(Object.keys(call?.headers ?? {})).not.toContain('anthropic-beta');
    });
  }

  it('gets no other model than the one that was held for', async () => {
    const body = chat(
      { fallbacks: ['claude-3-opus'], context_window_fallbacks: [{ 'gpt-4o-mini': ['claude-3-opus'] }] },
      { status: 500 },
    );
    expect((await post('/v1/chat/completions', body)).status).toBe(500);
    expect(new Set(rig.upstream.log.entries.map(({ model }) => model))).toEqual(new Set(['gpt-4o-mini']));
    expect(await rig.accounts.endings(mark)).toMatchObject([{ kind: 'void' }]);
  });

  it('gets no more tries than are configured', async () => {
    const headers = { 'x-litellm-num-retries': '9' };
    await post('/v1/chat/completions', chat({ num_retries: 9, max_retries: 9 }, { status: 500 }), headers);
    expect(rig.upstream.log.entries).toHaveLength(3);
    await rig.accounts.endings(mark);
  });

  it('achieves nothing by a body that is no object', async () => {
    // LiteLLM trips over it before it calls the hook
    expect((await post('/v1/chat/completions', [1, 2])).status).toBeGreaterThanOrEqual(400);
    await nothingHappened();
  });

  for (const extra of [{ api_base: 'http://127.0.0.1:9' }, { base_url: 'http://127.0.0.1:9' }, { user_config: {} }]) {
    it(`reaches no other provider by ${Object.keys(extra)}`, async () => {
      const seen = await post('/v1/chat/completions', chat(extra));
      if (seen.status === 200) {
        expect(rig.upstream.log.entries).toHaveLength(1);
        await rig.accounts.onlyPosting(mark);
      } else {
        await nothingHappened();
      }
    });
  }
});

describe('a budget that does not suffice', () => {
  it('refuses in the tenant’s language, says when and where there is more, and calls nobody', async () => {
    await rig.accounts.makeAvailable(1_000n);
    mark = await rig.accounts.mark();
    for (const stream of [false, true]) {
      const seen = await post('/v1/chat/completions', chat({ stream }));
      expect(seen.status).toBe(402);
      const error = errorOf(seen);
      expect(error).toMatchObject({ type: 'budget_exceeded', code: 'budget_spent' });
      expect(error.message).toContain('Budget');
      expect(error.message).toContain('https://');
    }
    await nothingHappened();
  });

  it('says "busy" instead while running calls hold it', async () => {
    const probe = await post('/v1/chat/completions', chat());
    expect(probe.status).toBe(200);
    const { holdNanoEur } = await rig.accounts.onlyPosting(mark);
    await rig.accounts.makeAvailable((BigInt(holdNanoEur) * 3n) / 2n);
    const slow = post('/v1/chat/completions', chat({}, { ...USED, delayMs: 2_500 }));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const seen = await post('/v1/chat/completions', chat());
    expect(seen.status).toBe(429);
    expect(errorOf(seen)).toMatchObject({ type: 'rate_limit_error', code: 'budget_busy' });
    expect(Number(seen.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await slow).status).toBe(200);
  });

  it('refuses in the language that the client asks for', async () => {
    await rig.accounts.makeAvailable(1_000n);
    mark = await rig.accounts.mark();
    const english = { 'accept-language': 'fr-FR, en-GB;q=0.9, de;q=0.5' };
    const refused = errorOf(await post('/v1/chat/completions', chat(), english));
    expect(refused.message).toMatch(/^The budget of Tests for /);
    const route = errorOf(await post('/v1/completions', { model: 'gpt-4o-mini', prompt: 'x' }, english));
    expect(route.message).toMatch(/^This interface is not offered/);
    const unknown = errorOf(await post('/v1/chat/completions', chat({ model: 'gpt-99' }), { 'accept-language': '*' }));
    expect(unknown.message).toMatch(/^Das Modell gpt-99 gibt es hier nicht/);
    await nothingHappened();
  });

  it('keeps prompts and keys out of the log', async () => {
    await rig.accounts.makeAvailable(1_000n);
    const messages = question(USED, 'the-secret-of-the-prompt');
    await post('/v1/chat/completions', chat({ messages }));
    const output = rig.gateways[0]?.process.output() ?? '';
    expect(output).toContain('code=budget_spent');
    expect(output).not.toContain('the-secret-of-the-prompt');
    expect(output).not.toContain(rig.apiKey);
    expect(output).not.toContain(rig.chatKey);
  });
});
