import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type Api, authoriseBody, settleBody, startApi } from '../testing/api.ts';
import type { TenantSecrets } from '../testing/registrations.ts';
import { EVENT_TYPES } from './event-types.ts';

/** What one request of settleBody costs on the small model with 20 % margin. */
const COST = 318_378n;

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let api: Api;
let pool: pg.Pool;
let secrets: TenantSecrets;
beforeEach(async () => {
  const databaseUrl = await databases.clone();
  api = await startApi({ databaseUrl });
  pool = openPool({ url: databaseUrl, onError: () => {} });
  secrets = await api.tenant('demo');
  await toldOnce();
});
afterEach(async () => {
  await pool.end();
  await api.stop();
});

/** What is told a second later is waited for longer than that. */
const eventually = <Value>(read: () => Promise<Value>) => expect.poll(read, { timeout: 20_000 });

/** An account is told of from the moment it was first seen. */
const toldOnce = () => eventually(async () => (await pool.query('select from told')).rowCount).toBe(1);

async function spend(times: number): Promise<void> {
  for (let request = 0; request < times; request += 1) {
    const id = randomUUID();
    await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, id));
    const settled = await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(id));
    expect(settled.status).toBe(200);
  }
}

type Told = { type: keyof typeof EVENT_TYPES; data: Record<string, string | number>; at: Date };
const told = async (type: string) =>
  (await pool.query<Told>('select type, data, at from event where type = $1 order by id', [type])).rows;
const sum = (events: Told[], field: string) => events.reduce((total, { data }) => total + BigInt(data[field] ?? 0), 0n);

test('usage is told in sums that miss nothing, at most once a second', async () => {
  await spend(5);
  await eventually(async () => sum(await told('usage.posted'), 'requests')).toBe(5n);
  await spend(3);
  await eventually(async () => sum(await told('usage.posted'), 'requests')).toBe(8n);
  const events = await told('usage.posted');
  expect(sum(events, 'postedNanoEur')).toBe(8n * COST);
  expect(sum(events, 'inputTokens')).toBe(8n * 50n);
  for (const [index, event] of events.entries()) {
    EVENT_TYPES['usage.posted'].data.parse(event.data);
    const before = events[index - 1];
    if (before !== undefined) expect(event.at.getTime() - before.at.getTime()).toBeGreaterThanOrEqual(999);
  }
});

test('the budget is told as the API shows it, after postings and grants', async () => {
  await spend(2);
  const grant = { source: 'top_up', amountNanoEur: '5000000000' };
  await api.admin('POST', '/v1/tenants/demo/grants', grant, { 'idempotency-key': 'one' });
  const { body } = await api.admin('GET', '/v1/tenants/demo/budget');
  const { tenant: _tenant, currency: _currency, ...budget } = body;
  await eventually(async () => (await told('budget.changed')).at(-1)?.data).toEqual(budget);
  for (const { data } of await told('budget.changed')) EVENT_TYPES['budget.changed'].data.parse(data);
});

test('of two processes one tells', async () => {
  const other = await startApi({ databaseUrl: api.controlPlane.databaseUrl });
  for (let round = 0; round < 3; round += 1) {
    await spend(2);
    await eventually(async () => sum(await told('usage.posted'), 'requests')).toBe(BigInt(round + 1) * 2n);
  }
  const start = performance.now();
  while (performance.now() - start < 300) await Promise.all([1, 2, 3].map(() => pool.query('select events_tell()')));
  expect(sum(await told('usage.posted'), 'requests')).toBe(6n);
  await other.stop();
});

test('who only holds is not told of: a stream is no meter of requests under way', async () => {
  await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, randomUUID()));
  await eventually(
    async () => (await pool.query('select from told t join balance b using (account_id, sequence)')).rowCount,
  ).toBe(1);
  expect(await told('budget.changed')).toEqual([]);
});

test('a tenant that is suspended, opened again or closed tells so, and nothing else does', async () => {
  const { body } = await api.admin('GET', '/v1/tenants/demo');
  const { tenant: _tenant, state: _state, budget: _budget, ...registration } = body;
  const put = (more: object) => api.admin('PUT', '/v1/tenants/demo', { ...registration, ...more });
  await put({ displayName: 'Another' });
  await put({ suspended: true });
  await put({ suspended: false });
  await api.admin('DELETE', '/v1/tenants/demo?data=keep');
  expect((await told('tenant.status_changed')).map(({ data }) => data)).toEqual([
    { status: 'suspended', previous: 'open' },
    { status: 'open', previous: 'suspended' },
    { status: 'closed', previous: 'open' },
  ]);
});
