import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { priceSnapshotId, shippedPriceList } from '../../catalogue/price-snapshot.ts';
import { type Api, authoriseBody, OPERATOR_KEY, settleBody, startApi } from '../../testing/api.ts';
import { modelRegistration, sha256Hex, type TenantSecrets } from '../../testing/registrations.ts';

/** What the bound of authoriseBody costs: 100 × 0.15 + 1000 × 0.60 USD per million, 1.159 USD per EUR, 20 %. */
const HOLD = '636756';
/** The same with the least output that is of use: 100 × 0.15 + 256 × 0.60 USD per million. */
const LEAST = '174566';

let api: Api;
let count = 0;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

type Caller = {
  name: string;
  secrets: TenantSecrets;
  gateway: (operation: string, body: object) => ReturnType<Api['call']>;
};

async function caller(more: Parameters<Api['tenant']>[1] = {}): Promise<Caller> {
  count += 1;
  const name = `tenant-${count}`;
  const secrets = await api.tenant(name, more);
  return {
    name,
    secrets,
    gateway: (operation, body) => api.call('POST', `/v1/gateway/${operation}`, secrets.credential, body),
  };
}

const budgetOf = async ({ name }: Caller) => (await api.admin('GET', `/v1/tenants/${name}/budget`)).body;
const ledgerOf = async ({ name }: Caller) => (await api.admin('GET', `/v1/tenants/${name}/ledger`)).body.items;

describe('authorise', () => {
  test('holds the bound and says how many output tokens it covers', async () => {
    const of = await caller();
    const requestId = randomUUID();
    const answer = await of.gateway('authorise', authoriseBody(of.secrets, requestId));
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'granted', requestId, holdNanoEur: HOLD, maxOutputTokens: 1000 },
    });
    expect(await budgetOf(of)).toMatchObject({ heldNanoEur: HOLD });
    expect(await of.gateway('authorise', authoriseBody(of.secrets, requestId))).toMatchObject({ body: answer.body });
  });

  test('refuses a spent budget in the tenant’s language, with the reset and where to top up', async () => {
    const of = await caller({ monthlyBudgetNanoEur: '100', language: 'de', displayName: 'Beispiel' });
    const answer = await of.gateway('authorise', authoriseBody(of.secrets, randomUUID()));
    expect(answer).toMatchObject({
      status: 402,
      body: {
        outcome: 'refused',
        reason: 'spent',
        code: 'budget_spent',
        topUpUrl: 'https://example.test/top-up',
        message: expect.stringMatching(/^Das Budget von Beispiel für .* ist aufgebraucht\. Am 1\. /),
      },
    });
    expect(new Date(answer.body.resetsAt).getTime()).toBeGreaterThan(Date.now());
    expect(await ledgerOf(of)).toMatchObject([
      { kind: 'grant' },
      { kind: 'refuse', amountNanoEur: LEAST, reason: 'spent' },
    ]);
  });

  test('refuses in the language of the user, where the gateway knows it', async () => {
    const of = await caller({ monthlyBudgetNanoEur: '100', language: 'de' });
    const answer = await of.gateway('authorise', authoriseBody(of.secrets, randomUUID(), { language: 'en' }));
    expect(answer).toMatchObject({ status: 402, body: { message: expect.stringMatching(/^The budget of /) } });
    const unknown = await of.gateway(
      'authorise',
      authoriseBody(of.secrets, randomUUID(), { model: 'gpt-99', language: 'en' }),
    );
    expect(unknown.body.message).toBe('There is no model gpt-99 here. Please choose another one.');
  });

  test('says whose budget is spent: a user’s or a key’s own limit does not grow by a top-up', async () => {
    const limited = await caller({ memberBudgetNanoEur: '100000' });
    const user = await limited.gateway('authorise', authoriseBody(limited.secrets, randomUUID()));
    expect(user).toMatchObject({ status: 402, body: { scope: 'user', code: 'budget_spent' } });
    expect(user.body.message).toMatch(/^Your personal budget at Demo .*The administrator of Demo can raise it/);
    expect(user.body).not.toHaveProperty('topUpUrl');
    const keyed = await caller({ keyBudgetNanoEur: '100000' });
    const { body: issued } = await api.admin('POST', `/v1/tenants/${keyed.name}/keys`, { name: 'ci' });
    const own = { keySha256: sha256Hex(issued.key), user: undefined };
    const key = await keyed.gateway('authorise', authoriseBody(keyed.secrets, randomUUID(), own));
    expect(key).toMatchObject({ status: 402, body: { scope: 'key', resetsAt: expect.any(String) } });
  });

  test('turns a chat user away for whom there is no seat', async () => {
    const of = await caller({ maxMembers: 1 });
    const ask = (externalId: string) =>
      of.gateway('authorise', authoriseBody(of.secrets, randomUUID(), { user: { externalId } }));
    expect((await ask('first')).status).toBe(200);
    expect(await ask('second')).toMatchObject({
      status: 403,
      body: { reason: 'seats_taken', message: expect.stringContaining('All seats of Demo are taken') },
    });
    expect((await ask('first')).status).toBe(200);
  });

  test('shortens the answer to what is left, says so, and explains it in the line', async () => {
    const of = await caller({ monthlyBudgetNanoEur: '400000' });
    const requestId = randomUUID();
    const answer = await of.gateway('authorise', authoriseBody(of.secrets, requestId));
    // 256 tokens and 22 steps of 16: 174,566 + 22 × 9,941 = 393,268 of the 400,000 that there are
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'granted', clamped: true, maxOutputTokens: 608, holdNanoEur: '393268' },
    });
    expect(await of.gateway('authorise', authoriseBody(of.secrets, requestId))).toMatchObject({ body: answer.body });
    await of.gateway('settle', settleBody(requestId));
    const { body } = await api.admin('GET', `/v1/tenants/${of.name}/usage`);
    expect(body.items).toMatchObject([
      {
        boundOutputTokens: 608,
        clampedFromOutputTokens: 1000,
        outputTokens: 500,
        holdNanoEur: '393268',
        overrunNanoEur: '0',
      },
    ]);
  });

  test('does not shorten an answer below what is of use: reasoning comes before it', async () => {
    const of = await caller({ monthlyBudgetNanoEur: '400000' });
    const body = authoriseBody(of.secrets, randomUUID(), { reasoningTokens: 500 });
    expect(await of.gateway('authorise', body)).toMatchObject({
      status: 402,
      body: { reason: 'spent', scope: 'tenant' },
    });
  });

  test('asks for patience when calls under way hold the rest', async () => {
    const of = await caller({ monthlyBudgetNanoEur: '700000' });
    await of.gateway('authorise', authoriseBody(of.secrets, randomUUID()));
    const answer = await of.gateway('authorise', authoriseBody(of.secrets, randomUUID()));
    expect(answer).toMatchObject({ status: 429, body: { reason: 'busy', code: 'budget_busy' } });
    expect(answer.headers.get('retry-after')).toBe(String(answer.body.retryAfterSeconds));
  });

  test.each([
    ['an unknown model', { model: 'gpt-99' }, 404, 'model_unknown'],
    ['a model that is not enabled', { model: 'forbidden' }, 403, 'model_not_allowed'],
    ['a model without a price', { model: 'unpriced' }, 403, 'unpriced'],
  ])('refuses %s with a text for the user', async (_what, more, status, code) => {
    await api.call('PUT', '/v1/models/forbidden', OPERATOR_KEY, modelRegistration());
    const deployments = [{ name: 'main', provider: 'openai', model: 'in-no-list', residency: 'us' }];
    await api.call('PUT', '/v1/models/unpriced', OPERATOR_KEY, modelRegistration({ prices: null, deployments }));
    const of = await caller({ models: ['small', 'unpriced'] });
    const answer = await of.gateway('authorise', authoriseBody(of.secrets, randomUUID(), more));
    expect(answer).toMatchObject({
      status,
      body: { code, outcome: 'refused', message: expect.stringContaining(more.model) },
    });
    expect(await ledgerOf(of)).toHaveLength(1);
  });

  test('goes by prices that can be asked for, long contexts included', async () => {
    const prices = { inputUsdPerMillion: '1', outputUsdPerMillion: '2' };
    const tier = { ...prices, aboveTokens: 1000, inputUsdPerMillion: '3' };
    await api.call(
      'PUT',
      '/v1/models/own',
      OPERATOR_KEY,
      modelRegistration({ prices: { ...prices, longContext: tier } }),
    );
    expect(await api.admin('GET', '/v1/models/own/prices')).toMatchObject({
      status: 200,
      body: { source: 'model', prices: { outputPicoUsd: '2000000', longContext: { inputPicoUsd: '3000000' } } },
    });
    const deployments = [{ name: 'main', provider: 'openai', model: 'in-no-list', residency: 'us' }];
    await api.call('PUT', '/v1/models/unknown', OPERATOR_KEY, modelRegistration({ prices: null, deployments }));
    expect((await api.admin('GET', '/v1/models/unknown/prices')).body).toMatchObject({ source: null, prices: null });
    expect((await api.admin('GET', '/v1/models/nothing/prices')).status).toBe(404);
  });

  test('never blocks a free model, even on an empty budget', async () => {
    await api.call('PUT', '/v1/models/free', OPERATOR_KEY, modelRegistration({ free: true, prices: null }));
    const of = await caller({ monthlyBudgetNanoEur: '0', models: ['free'] });
    const requestId = randomUUID();
    const body = authoriseBody(of.secrets, requestId, { model: 'free' });
    expect(await of.gateway('authorise', body)).toMatchObject({ status: 200, body: { holdNanoEur: '0' } });
    const settled = await of.gateway('settle', settleBody(requestId, { modelServed: 'free' }));
    expect(settled).toMatchObject({ status: 200, body: { totalNanoEur: '0' } });
  });

  test('answers a reused request id, a void before it and a wrong key with what they are', async () => {
    const of = await caller();
    const [reused, voided] = [randomUUID(), randomUUID()];
    await of.gateway('authorise', authoriseBody(of.secrets, reused));
    expect(await of.gateway('authorise', authoriseBody(of.secrets, reused, { maxOutputTokens: 1 }))).toMatchObject({
      status: 409,
      body: { code: 'request_id_reused' },
    });
    await of.gateway('void', { requestId: voided, reason: 'authorise_unknown' });
    expect(await of.gateway('authorise', authoriseBody(of.secrets, voided))).toMatchObject({
      status: 409,
      body: { code: 'already_voided' },
    });
    const wrong = authoriseBody(of.secrets, randomUUID(), { keySha256: sha256Hex('wrong') });
    expect(await of.gateway('authorise', wrong)).toMatchObject({ status: 401, body: { code: 'key_unknown' } });
  });

  test('believes the user of a chat key only: an API key’s user is its own', async () => {
    const of = await caller();
    const person = { email: 'owner@example.test', role: 'owner' };
    const { body: user } = await api.admin('POST', `/v1/tenants/${of.name}/users`, person);
    const { body: key } = await api.admin('POST', `/v1/tenants/${of.name}/keys`, { name: 'script', userId: user.id });
    const [chat, script] = [randomUUID(), randomUUID()];
    await of.gateway('authorise', authoriseBody(of.secrets, chat));
    await of.gateway('authorise', authoriseBody(of.secrets, script, { keySha256: sha256Hex(key.key) }));
    await of.gateway('settle', settleBody(chat));
    await of.gateway('settle', settleBody(script));
    const { body } = await api.admin('GET', `/v1/tenants/${of.name}/usage`);
    expect(body.items).toMatchObject([
      { requestId: chat, user: { externalId: 'user-1', email: 'person@example.test' } },
      { requestId: script, user: { email: 'owner@example.test' }, keyId: key.id },
    ]);
  });

  test('finds a chat’s user by address when an admin added it before, once however many call', async () => {
    const of = await caller();
    await api.admin('POST', `/v1/tenants/${of.name}/users`, { email: 'Person@example.test', role: 'member' });
    await Promise.all(
      Array.from({ length: 8 }, () => of.gateway('authorise', authoriseBody(of.secrets, randomUUID()))),
    );
    const { body } = await api.admin('GET', `/v1/tenants/${of.name}/users`);
    expect(body.items).toMatchObject([{ email: 'Person@example.test', externalId: 'user-1' }]);
  });

  test('goes by what is registered now: price, suspension and revoked keys take effect at the next call', async () => {
    const of = await caller();
    const ask = () => of.gateway('authorise', authoriseBody(of.secrets, randomUUID()));
    expect((await ask()).body.holdNanoEur).toBe(HOLD);
    await api.call(
      'PUT',
      '/v1/models/small',
      OPERATOR_KEY,
      modelRegistration({ prices: { inputUsdPerMillion: '0', outputUsdPerMillion: '1.159' } }),
    );
    expect((await ask()).body.holdNanoEur).toBe('1200000');
    await api.call('PUT', '/v1/models/small', OPERATOR_KEY, modelRegistration());
    const { body } = await api.admin('GET', `/v1/tenants/${of.name}`);
    const { tenant: _tenant, state: _state, budget: _budget, ...registration } = body;
    await api.admin('PUT', `/v1/tenants/${of.name}`, { ...registration, suspended: true });
    expect(await ask()).toMatchObject({ status: 403, body: { code: 'suspended' } });
  });
});

describe('settle', () => {
  test('bills real tokens on the terms of its hold, and explains the bill in one line', async () => {
    const of = await caller();
    const requestId = randomUUID();
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
    await of.gateway('authorise', authoriseBody(of.secrets, requestId, { traceparent }));
    await api.call(
      'PUT',
      '/v1/models/small',
      OPERATOR_KEY,
      modelRegistration({ prices: { inputUsdPerMillion: '9', outputUsdPerMillion: '9' } }),
    );
    const settled = await of.gateway('settle', settleBody(requestId));
    await api.call('PUT', '/v1/models/small', OPERATOR_KEY, modelRegistration());
    // 50 × 0.15 + 500 × 0.60 USD per million = 307.5 µUSD; ÷ 1.159 = 265,315 nEUR rounded up; 20 % = 53,063
    const bill = { costNanoEur: '265315', marginNanoEur: '53063', totalNanoEur: '318378', overrunNanoEur: '0' };
    expect(settled).toMatchObject({ status: 200, body: { outcome: 'posted', late: false, ...bill } });
    expect(await of.gateway('settle', settleBody(requestId))).toMatchObject({ status: 200, body: settled.body });
    const { body } = await api.admin('GET', `/v1/tenants/${of.name}/usage`);
    expect(body.items).toMatchObject([
      {
        requestId,
        model: 'small',
        modelServed: 'small',
        outcome: 'posted',
        finish: 'complete',
        inputTokens: 50,
        outputTokens: 500,
        boundInputTokens: 100,
        boundOutputTokens: 1000,
        holdNanoEur: HOLD,
        ...bill,
        marginPercent: 20,
        clampedFromOutputTokens: null,
        providerTotalTokens: 550,
        prices: { inputPicoUsd: '150000', outputPicoUsd: '600000', longContextAboveTokens: null },
        priceSource: 'model',
        priceSnapshot: priceSnapshotId(await shippedPriceList()),
        usdEurRate: { day: '2026-11-20', usdPerEur: '1.159000' },
        traceId: trace,
      },
    ]);
    expect(await ledgerOf(of)).toMatchObject([
      { sequence: 1, kind: 'grant' },
      { sequence: 2, kind: 'hold', requestId, heldAfterNanoEur: HOLD },
      { sequence: 3, kind: 'post', requestId, amountNanoEur: '318378', releasedNanoEur: HOLD, heldAfterNanoEur: '0' },
    ]);
  });

  test('of a model without prices of its own is billed at the snapshot’s, which can be looked up', async () => {
    const registration = modelRegistration({ prices: null });
    await api.call('PUT', '/v1/models/listed', OPERATOR_KEY, registration);
    const of = await caller({ models: ['listed'] });
    const requestId = randomUUID();
    await of.gateway('authorise', authoriseBody(of.secrets, requestId, { model: 'listed' }));
    expect(await of.gateway('settle', settleBody(requestId, { modelServed: 'listed' }))).toMatchObject({
      body: { costNanoEur: '265315' },
    });
    const { body } = await api.admin('GET', `/v1/tenants/${of.name}/usage`);
    expect(body.items).toMatchObject([{ priceSource: 'snapshot', prices: { cachedInputPicoUsd: '75000' } }]);
    const snapshot = await api.admin('GET', `/v1/price-snapshots/${body.items[0].priceSnapshot}`);
    expect(snapshot).toMatchObject({
      status: 200,
      body: { litellm: expect.any(String), prices: { 'openai/gpt-4o-mini': { inputUsdPerMillion: '0.15' } } },
    });
    const listed = await api.admin('GET', '/v1/price-snapshots');
    expect(listed.body.items).toMatchObject([{ id: snapshot.body.id, inForce: true }]);
  });

  test('whose buckets are not what the provider counted is billed, and an alarm', async () => {
    const of = await caller();
    const requestId = randomUUID();
    await of.gateway('authorise', authoriseBody(of.secrets, requestId));
    const usage = { inputTokens: 50, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 500, images: 0 };
    const settled = await of.gateway('settle', settleBody(requestId, { usage: { ...usage, totalTokens: 600 } }));
    expect(settled).toMatchObject({ status: 200, body: { totalNanoEur: '318378' } });
    expect((await api.call('GET', '/metrics', undefined)).body).toContain('cloudfreedom_usage_sum_mismatches_total 1');
  });

  test('of a fallback is billed at the fallback’s prices', async () => {
    const dear = { inputUsdPerMillion: '10', outputUsdPerMillion: '20' };
    await api.call('PUT', '/v1/models/dear', OPERATOR_KEY, modelRegistration({ prices: dear }));
    await api.call('PUT', '/v1/models/cheap', OPERATOR_KEY, modelRegistration({ fallbacks: ['dear'] }));
    const of = await caller({ models: ['cheap', 'dear'] });
    const requestId = randomUUID();
    await of.gateway('authorise', authoriseBody(of.secrets, requestId, { model: 'cheap' }));
    const { body } = await of.gateway('settle', settleBody(requestId, { modelServed: 'dear' }));
    expect(body).toMatchObject({ costNanoEur: '9059535', overrunNanoEur: '0' });
  });

  test('of a cache hit costs nothing', async () => {
    const of = await caller();
    const requestId = randomUUID();
    await of.gateway('authorise', authoriseBody(of.secrets, requestId));
    expect((await of.gateway('settle', settleBody(requestId, { cacheHit: true }))).body.totalNanoEur).toBe('0');
    expect(await budgetOf(of)).toMatchObject({ heldNanoEur: '0', postedNanoEur: '0' });
  });

  test('above its hold shows as an overrun and in the metrics', async () => {
    const of = await caller();
    const requestId = randomUUID();
    await of.gateway('authorise', authoriseBody(of.secrets, requestId, { maxOutputTokens: 1 }));
    const { body } = await of.gateway('settle', settleBody(requestId));
    expect(BigInt(body.overrunNanoEur)).toBeGreaterThan(0n);
    expect(await budgetOf(of)).toMatchObject({ overrunNanoEur: body.overrunNanoEur });
    expect((await api.call('GET', '/metrics', undefined)).body).toContain(
      'cloudfreedom_overruns_total{reason="above_hold"} 1',
    );
  });

  test('by another replica, which never saw the authorise, is the same', async () => {
    const of = await caller();
    const requestId = randomUUID();
    await of.gateway('authorise', authoriseBody(of.secrets, requestId));
    const other = await startApi({ databaseUrl: api.controlPlane.databaseUrl });
    try {
      const settled = await other.call('POST', '/v1/gateway/settle', of.secrets.credential, settleBody(requestId));
      expect(settled).toMatchObject({ status: 200, body: { totalNanoEur: '318378' } });
    } finally {
      await other.stop();
    }
  });

  test('of what was never authorised is a 404, with other figures a 409', async () => {
    const of = await caller();
    const requestId = randomUUID();
    expect(await of.gateway('settle', settleBody(requestId))).toMatchObject({
      status: 404,
      body: { code: 'request_unknown' },
    });
    await of.gateway('authorise', authoriseBody(of.secrets, requestId));
    await of.gateway('settle', settleBody(requestId));
    expect(await of.gateway('settle', settleBody(requestId, { finish: 'interrupted' }))).toMatchObject({
      status: 409,
      body: { code: 'settled_differently' },
    });
    expect(await of.gateway('void', { requestId, reason: 'client_gone' })).toMatchObject({
      status: 409,
      body: { code: 'already_posted' },
    });
  });
});

test('two replicas price by what either of them was told last', async () => {
  const of = await caller();
  const other = await startApi({ databaseUrl: api.controlPlane.databaseUrl });
  try {
    const ask = (replica: Api) =>
      replica.call('POST', '/v1/gateway/authorise', of.secrets.credential, authoriseBody(of.secrets, randomUUID()));
    expect((await ask(other)).body.holdNanoEur).toBe(HOLD);
    const { body } = await api.admin('GET', `/v1/tenants/${of.name}`);
    const { tenant: _tenant, state: _state, budget: _budget, ...registration } = body;
    await api.admin('PUT', `/v1/tenants/${of.name}`, { ...registration, marginPercent: 0 });
    expect((await ask(other)).body.holdNanoEur).toBe('530630');
    await api.admin('DELETE', `/v1/tenants/${of.name}`);
    expect(await ask(other)).toMatchObject({ status: 403, body: { code: 'suspended' } });
  } finally {
    await other.stop();
  }
});
