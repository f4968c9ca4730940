import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonEnvironment } from '../images/python-env.ts';
import { progress } from '../process/progress.ts';
import { run } from '../process/run.ts';
import { until } from '../process/until.ts';
import { told } from '../steps/chat.ts';
import { CHAT_MODELS, EMBEDDING_MODEL } from './catalogue.ts';
import { ask, errorOf, question } from './client.ts';
import { type Rig, startRig } from './rig.ts';

/** Milliseconds after which a revoked key is refused everywhere. */
const REVOKED_WITHIN_MS = 1_000;
/** Milliseconds between two tries with a key that is being revoked. */
const TRY_EVERY_MS = 20;
/** Callers who use a key while it is revoked, and how often they would all together if it were not. */
const CALLERS = 8;
const MAX_CALLS = 1_000;

type IssuedKey = { id: string; key: string };

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ gateways: 2 });
});
afterAll(() => rig?.close());

async function issue(scopes: string[]): Promise<IssuedKey> {
  const body = { name: scopes.join(' '), scopes };
  const answer = await rig.controlPlane.api<IssuedKey>('POST', `/v1/tenants/${rig.tenant}/keys`, body);
  if (answer.status !== 201) throw new Error(`no key: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function revoke({ id }: IssuedKey): Promise<void> {
  const { status } = await rig.controlPlane.api('DELETE', `/v1/tenants/${rig.tenant}/keys/${id}`);
  expect(status).toBe(204);
}

const gateway = (place: number) => rig.gateways[place]?.url ?? '';
const listModels = (url: string, key: string) => ask(url, '/v1/models', '', { key, method: 'GET' });
const chat = (url: string, key: string) => {
  const messages = question({ promptTokens: 10, completionTokens: 5 });
  return ask(url, '/v1/chat/completions', { model: 'gpt-4o-mini', max_tokens: 20, messages }, { key });
};

describe('an API key works with OpenAI’s clients as they are', () => {
  it('from npm', async () => {
    const { key } = await issue(['chat']);
    const client = new OpenAI({ apiKey: key, baseURL: `${gateway(0)}/v1`, maxRetries: 0 });
    const models: string[] = [];
    for await (const { id } of client.models.list()) models.push(id);
    expect(models).toEqual(expect.arrayContaining(CHAT_MODELS));
    const messages = [{ role: 'user' as const, content: told('hello', { promptTokens: 10, completionTokens: 7 }) }];
    const whole = await client.chat.completions.create({ model: 'gpt-4o-mini', messages });
    expect(whole.choices[0]?.message.content?.split(' ')).toHaveLength(7);
    let streamed = '';
    for await (const part of await client.chat.completions.create({ model: 'gpt-4o-mini', messages, stream: true }))
      streamed += part.choices[0]?.delta.content ?? '';
    expect(streamed.split(' ')).toHaveLength(7);
    const vectors = await client.embeddings.create({ model: EMBEDDING_MODEL, input: ['one', 'two'] });
    expect(vectors.data).toHaveLength(2);
  });

  it('from PyPI', async () => {
    const issued = await issue(['chat', 'usage.read']);
    const bin = await pythonEnvironment('openai-client', progress('openai'));
    const script = new URL('openai_client.py', import.meta.url).pathname;
    const env = { PATH: bin, OPENAI_BASE_URL: `${gateway(1)}/v1`, OPENAI_API_KEY: issued.key };
    const words = told('hello', { promptTokens: 10, completionTokens: 7 });
    const { stdout } = await run(`${bin}/python`, [script, words], { env });
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({ vectors: 2, tokens: 17, models: expect.arrayContaining(CHAT_MODELS) });
    expect(seen.whole.split(' ')).toHaveLength(7);
    expect(seen.streamed.split(' ')).toHaveLength(7);
    await revoke(issued);
    const after = await run(`${bin}/python`, [script, words], { env });
    expect(JSON.parse(after.stdout)).toEqual({ refused: 401, code: 'invalid_api_key' });
  });
});

describe('a revoked key', () => {
  for (const [what, use] of [
    ['lists no models', listModels],
    ['makes no calls', chat],
  ] as const) {
    it(`${what} at any gateway within a second, however often it was used just before`, async () => {
      const issued = await issue(['chat']);
      let revokedAt = Number.POSITIVE_INFINITY;
      // Uses the key all the time; the moment of the last call that began after the revocation and still worked.
      const lastUse = async (url: string): Promise<number> => {
        let last = Number.NEGATIVE_INFINITY;
        for (;;) {
          const began = performance.now();
          const seen = await use(url, issued.key);
          if (seen.status === 401) {
            expect(errorOf(seen).code).toBe('invalid_api_key');
            return last;
          }
          expect(seen.status, seen.text).toBe(200);
          if (began > revokedAt) last = began;
          if (began > revokedAt + 10 * REVOKED_WITHIN_MS) throw new Error('the key still works');
          await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
        }
      };
      const uses = [lastUse(gateway(0)), lastUse(gateway(1))];
      await Promise.all(rig.gateways.map(async ({ url }) => expect((await use(url, issued.key)).status).toBe(200)));
      await revoke(issued);
      revokedAt = performance.now();
      const worked = (await Promise.all(uses)).map((last) => Math.max(0, last - revokedAt));
      console.log(`a revoked key ${what}: last worked ${worked.map(Math.round).join(' and ')} ms after`);
      for (const milliseconds of worked) expect(milliseconds).toBeLessThan(REVOKED_WITHIN_MS);
    });
  }

  it('that is in use meanwhile: each call is made and billed once, or refused', async () => {
    const issued = await issue(['chat']);
    const mark = await rig.accounts.mark();
    const statuses: number[] = [];
    // Each calls again and again until it is refused.
    const callers = Array.from({ length: CALLERS }, async (_, place) => {
      while (statuses.length < MAX_CALLS) {
        const { status } = await chat(gateway(place % 2), issued.key);
        statuses.push(status);
        if (status !== 200) return;
      }
    });
    await until('every caller to have had an answer', () => (statuses.length >= CALLERS ? true : undefined), {
      timeoutMs: 60_000,
      intervalMs: TRY_EVERY_MS,
    });
    await Promise.all([revoke(issued), revoke(issued)]);
    await Promise.all(callers);
    expect(statuses.filter((status) => status === 401)).toHaveLength(CALLERS);
    const made = statuses.length - CALLERS;
    expect(statuses.filter((status) => status === 200)).toHaveLength(made);
    const endings = await rig.accounts.endings(mark, { atLeast: made });
    expect(endings.filter(({ kind }) => kind === 'post')).toHaveLength(made);
  });
});

it('a key without the scope chat is refused at the gateway', async () => {
  const { key } = await issue(['usage.read', 'budget.read']);
  for (const seen of [await listModels(gateway(0), key), await chat(gateway(0), key)]) {
    expect(seen.status).toBe(401);
    expect(errorOf(seen).code).toBe('invalid_api_key');
  }
});
