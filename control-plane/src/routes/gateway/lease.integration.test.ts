import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, authoriseBody, OPERATOR_KEY, settleBody, startApi } from '../../testing/api.ts';
import { modelRegistration, type TenantSecrets } from '../../testing/registrations.ts';

/** What settleBody's usage costs, margin included. */
const TOTAL = '318378';
const LEASE = { amountNanoEur: '1000000000', seconds: 300 };

let api: Api;
let count = 0;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

async function caller(more: Parameters<Api['tenant']>[1] = { lease: LEASE }) {
  count += 1;
  const name = `leased-${count}`;
  const secrets = await api.tenant(name, more);
  return {
    name,
    secrets,
    gateway: (operation: string, body: object) =>
      api.call('POST', `/v1/gateway/${operation}`, secrets.credential, body),
    budget: async () => (await api.admin('GET', `/v1/tenants/${name}/budget`)).body,
    lines: async () => (await api.admin('GET', `/v1/tenants/${name}/ledger`)).body.items,
    usage: async () => (await api.admin('GET', `/v1/tenants/${name}/usage`)).body.items,
  };
}

/** The settlement of a call that was never authorised but made within a lease. */
function leasedSettlement(secrets: TenantSecrets, leaseId: string, requestId: string, more: object = {}) {
  const {
    requestId: _,
    traceparent: __,
    language: ___,
    ...asked
  } = authoriseBody(secrets, requestId) as Record<string, unknown>;
  return settleBody(requestId, { lease: { ...asked, leaseId, ...more } });
}

describe('a lease', () => {
  test('is held at once, and says what the gateway may count on', async () => {
    const of = await caller();
    const leaseId = randomUUID();
    const answer = await of.gateway('leases', { leaseId });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        outcome: 'granted',
        leaseId,
        leftNanoEur: LEASE.amountNanoEur,
        seconds: 300,
        models: {
          // 0.15 and 0.60 USD per million, 1.159 USD per EUR, 20 %: rounded up
          small: { mode: 'chat', contextTokens: 128_000, inputPicoEur: '155307', outputPicoEur: '621226' },
        },
      },
    });
    expect(await of.gateway('leases', { leaseId })).toMatchObject({ body: answer.body });
    expect(await of.budget()).toMatchObject({ heldNanoEur: '0', leasedNanoEur: LEASE.amountNanoEur });
  });

  test('is given back by a void', async () => {
    const of = await caller();
    const leaseId = randomUUID();
    await of.gateway('leases', { leaseId });
    expect((await of.gateway('void', { requestId: leaseId, reason: 'lease_returned' })).status).toBe(200);
    expect(await of.budget()).toMatchObject({ heldNanoEur: '0', leasedNanoEur: '0' });
    expect((await of.gateway('leases', { leaseId })).body).toEqual({ outcome: 'ended', leaseId });
  });

  test('is denied where the plan has none, to the suspended, and when little is left', async () => {
    for (const more of [
      { lease: null },
      { lease: LEASE, suspended: true },
      { lease: LEASE, monthlyBudgetNanoEur: '900' },
    ]) {
      const of = await caller(more);
      const leaseId = randomUUID();
      expect((await of.gateway('leases', { leaseId })).body).toEqual({ outcome: 'denied', leaseId });
      expect(await of.budget()).toMatchObject({ heldNanoEur: '0', leasedNanoEur: '0' });
    }
  });

  test('belongs to its tenant: another gateway’s settlement finds no such lease', async () => {
    const [of, other] = [await caller(), await caller()];
    const leaseId = randomUUID();
    await of.gateway('leases', { leaseId });
    const foreign = await other.gateway('settle', leasedSettlement(other.secrets, leaseId, randomUUID()));
    expect(foreign).toMatchObject({ status: 404, body: { code: 'lease_unknown' } });
    expect((await other.gateway('leases', { leaseId })).body).toMatchObject({ outcome: 'granted' });
    expect(await of.budget()).toMatchObject({ heldNanoEur: '0', leasedNanoEur: LEASE.amountNanoEur });
  });
});

describe('a call that was made within a lease', () => {
  test('is billed out of it, once, and every line says so', async () => {
    const of = await caller();
    const [leaseId, requestId] = [randomUUID(), randomUUID()];
    await of.gateway('leases', { leaseId });
    const settlement = leasedSettlement(of.secrets, leaseId, requestId);
    const answer = await of.gateway('settle', settlement);
    expect(answer).toMatchObject({ status: 200, body: { late: false, totalNanoEur: TOTAL, overrunNanoEur: '0' } });
    expect(await of.gateway('settle', settlement)).toMatchObject({ body: answer.body });
    const left = (BigInt(LEASE.amountNanoEur) - BigInt(TOTAL)).toString();
    expect(await of.lines()).toMatchObject([
      { kind: 'grant' },
      { kind: 'lease', requestId: leaseId, amountNanoEur: LEASE.amountNanoEur },
      { kind: 'draw', requestId, amountNanoEur: TOTAL, heldAfterNanoEur: left, reason: leaseId },
      { kind: 'hold', requestId, amountNanoEur: TOTAL, heldAfterNanoEur: LEASE.amountNanoEur, reason: 'leased' },
      { kind: 'post', requestId, amountNanoEur: TOTAL, heldAfterNanoEur: left },
    ]);
    expect(await of.usage()).toMatchObject([{ requestId, model: 'small', user: { externalId: expect.any(String) } }]);
    expect((await of.gateway('leases', { leaseId })).body).toMatchObject({ leftNanoEur: left });
  });

  test('is billed by the prices the lease was made on, though they have changed meanwhile', async () => {
    const of = await caller();
    const leaseId = randomUUID();
    await of.gateway('leases', { leaseId });
    const dearer = modelRegistration({ prices: { inputUsdPerMillion: '150', outputUsdPerMillion: '600' } });
    await api.call('PUT', '/v1/models/small', OPERATOR_KEY, dearer);
    const answer = await of.gateway('settle', leasedSettlement(of.secrets, leaseId, randomUUID()));
    expect(answer).toMatchObject({ body: { totalNanoEur: TOTAL, overrunNanoEur: '0' } });
    expect((await of.gateway('leases', { leaseId })).body).toEqual({ outcome: 'denied', leaseId });
    await api.call('PUT', '/v1/models/small', OPERATOR_KEY, modelRegistration());
  });

  test('with a model that the lease does not offer is not billed', async () => {
    const of = await caller();
    const leaseId = randomUUID();
    await of.gateway('leases', { leaseId });
    const answer = await of.gateway('settle', leasedSettlement(of.secrets, leaseId, randomUUID(), { model: 'gpt-99' }));
    expect(answer).toMatchObject({ status: 404, body: { code: 'lease_unknown' } });
  });
});

test('an authorisation says whom a lease may serve: nobody who has a limit of their own', async () => {
  const free = await caller();
  const limited = await caller({ lease: LEASE, memberBudgetNanoEur: '5000000000' });
  const off = await caller({ lease: null });
  for (const [of, leasable] of [
    [free, true],
    [limited, false],
    [off, false],
  ] as const) {
    const body = authoriseBody(of.secrets, randomUUID());
    expect((await of.gateway('authorise', body)).body).toMatchObject({ outcome: 'granted', leasable });
    expect((await of.gateway('authorise', body)).body).toMatchObject({ outcome: 'granted', leasable });
  }
});
