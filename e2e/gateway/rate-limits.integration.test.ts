import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, errorOf, question, type Seen } from './client.ts';
import type { LiteLlm } from './litellm-process.ts';
import { type Rig, startRig } from './rig.ts';

/** More than any test here spends. */
const ENOUGH = 100_000_000_000n;
const MINUTE_MS = 60_000;
/** What of its minute a test may take at most, so that nothing has filled again: the limits below are that small. */
const QUICK_MS = 25_000;

const EMPTY = "for _, key in ipairs(redis.call('KEYS', 'cloudfreedom:limit:*')) do redis.call('DEL', key) end";

let rig: Rig;
let mark: number;

beforeAll(async () => {
  rig = await startRig({ gateways: 0 });
});
afterAll(() => rig?.close());
beforeEach(async () => {
  await rig.accounts.makeAvailable(ENOUGH);
  rig.upstream.log.clear();
  mark = await rig.accounts.mark();
});

/** A chat user whom no other test knows, as Open WebUI forwards one. */
const someone = () => ({
  'x-openwebui-user-id': randomUUID(),
  'x-openwebui-user-email': `${randomUUID()}@example.org`,
});

async function gatewayWith(limits: object): Promise<LiteLlm> {
  const gateway = await rig.addGateway({ environment: { CLOUDFREEDOM_RATE_LIMITS: JSON.stringify(limits) } });
  // what one gateway let in counts at the next: each test begins with full buckets
  await rig.redis.ask('EVAL', EMPTY, '0');
  return gateway;
}

const chat = (
  gateway: LiteLlm,
  headers: Record<string, string>,
  tokens = { promptTokens: 10, completionTokens: 5 },
): Promise<Seen> =>
  ask(
    gateway.url,
    '/v1/chat/completions',
    { model: 'gpt-4o-mini', max_tokens: 50, messages: question(tokens) },
    { key: rig.chatKey, headers },
  );

async function keysOfOneMember(): Promise<[string, string]> {
  const make = async <Body>(kind: string, body: object) =>
    (await rig.controlPlane.api<Body>('POST', `/v1/tenants/${rig.tenant}/${kind}`, body)).body;
  const user = await make<{ id: string }>('users', { email: `${randomUUID()}@example.org`, role: 'user' });
  const key = async () => (await make<{ key: string }>('keys', { name: 'limits', userId: user.id })).key;
  return [await key(), await key()];
}

describe('requests a minute', () => {
  it('are refused to a user above their limit, in their language, and nobody else notices', async () => {
    const gateway = await gatewayWith({ userRequestsPerMinute: 2 });
    const [ada, grace] = [someone(), someone()];
    expect((await chat(gateway, ada)).status).toBe(200);
    expect((await chat(gateway, ada)).status).toBe(200);
    const refused = await chat(gateway, { ...ada, 'accept-language': 'de' });
    expect(refused.status).toBe(429);
    expect(errorOf(refused)).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited' });
    expect(errorOf(refused).message).toMatch(
      /^Das ging zu schnell: Für Sie gelten 2 Anfragen je Minute\. .* \d+ Sekunden/,
    );
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(30);
    expect((await chat(gateway, grace)).status).toBe(200);
    // three answers reached the provider, and nothing of the refused request is held or billed
    await rig.accounts.endings(mark, { atLeast: 3 });
    const lines = await rig.accounts.since(mark);
    expect(lines.filter(({ kind }) => kind === 'hold')).toHaveLength(3);
    expect(rig.upstream.log.entries.filter(({ method }) => method === 'POST')).toHaveLength(3);
  });

  it('are shared by all gateways of the tenant, and exact when many come at once', async () => {
    const limits = { requestsPerMinute: 10 };
    const gateways = [await gatewayWith(limits), await gatewayWith(limits)];
    const started = Date.now();
    const seen = await Promise.all(
      Array.from({ length: 30 }, (_, number) => chat(gateways[number % 2] as LiteLlm, someone())),
    );
    const filled = Math.floor(((Date.now() - started) * limits.requestsPerMinute) / MINUTE_MS);
    const passed = seen.filter(({ status }) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(10);
    expect(passed).toBeLessThanOrEqual(10 + filled);
    const refused = seen.filter(({ status }) => status === 429);
    expect(refused.length).toBe(30 - passed);
    for (const each of refused)
      expect(errorOf(each).message).toMatch(/^Too many requests are coming in at once: all together/);
  });

  it('of a key count for its holder, whichever key they use', async () => {
    const gateway = await gatewayWith({ userRequestsPerMinute: 1 });
    const [first, second] = await keysOfOneMember();
    const body = { model: 'gpt-4o-mini', max_tokens: 50, messages: question({ promptTokens: 5, completionTokens: 5 }) };
    expect((await ask(gateway.url, '/v1/chat/completions', body, { key: first })).status).toBe(200);
    const refused = await ask(gateway.url, '/v1/chat/completions', body, { key: second });
    expect([refused.status, errorOf(refused).code]).toEqual([429, 'rate_limited']);
    expect((await ask(gateway.url, '/v1/chat/completions', body, { key: rig.apiKey })).status).toBe(200);
  });
});

describe('tokens a minute', () => {
  it('are what was really used; who owes some waits until it has filled', async () => {
    const gateway = await gatewayWith({ userTokensPerMinute: 100 });
    const ada = someone();
    const started = Date.now();
    expect((await chat(gateway, ada, { promptTokens: 60, completionTokens: 30 })).status).toBe(200);
    await rig.accounts.endings(mark, { atLeast: 1 });
    // ten or so are left: the next one may begin, and then owes
    expect((await chat(gateway, ada, { promptTokens: 150, completionTokens: 50 })).status).toBe(200);
    await rig.accounts.endings(mark, { atLeast: 2 });
    const refused = await chat(gateway, ada);
    expect(Date.now() - started).toBeLessThan(QUICK_MS * 4);
    expect(refused.status).toBe(429);
    expect(errorOf(refused).message).toMatch(/^That was too fast: you may use 100 tokens a minute\./);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(10);
    expect((await chat(gateway, someone())).status).toBe(200);
  });
});

describe('without limits', () => {
  it('nothing is counted', async () => {
    const gateway = await rig.addGateway();
    const ada = someone();
    expect((await chat(gateway, ada)).status).toBe(200);
    await rig.accounts.endings(mark);
    expect(await rig.redis.ask('KEYS', `cloudfreedom:limit:*${ada['x-openwebui-user-id']}`)).toContain('*0\r\n');
  });
});
