import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type Api, authoriseBody, settleBody, startApi } from '../testing/api.ts';
import { Random, seedOf } from '../testing/random.ts';
import { sha256Hex, type TenantSecrets } from '../testing/registrations.ts';
import { rollUp } from './roller.ts';

let databases: TestDatabases;
let api: Api;
let pool: pg.Pool;
let now: Date;
beforeAll(async () => {
  databases = await startTestDatabases();
});
beforeEach(async () => {
  now = new Date('2026-11-20T10:00:00Z');
  const databaseUrl = await databases.clone();
  api = await startApi({ databaseUrl, now: () => now });
  pool = openPool({ url: databaseUrl, onError: () => {} });
  return async () => {
    await pool.end();
    await api.stop();
  };
});
afterAll(() => databases.stop());

const faults = async () => (await pool.query('select * from usage_faults')).rows;

/** Accounts with lines that are not rolled up. */
const behind = async () =>
  (
    await pool.query(`select account_id from usage_line left join usage_rolled using (account_id)
      where sequence > coalesce(through, 0)`)
  ).rows;

type Request = { readonly secrets: TenantSecrets; readonly authorise?: object; readonly settle?: object };

async function request({ secrets, authorise = {}, settle = {} }: Request): Promise<void> {
  const id = randomUUID();
  const asked = await api.call(
    'POST',
    '/v1/gateway/authorise',
    secrets.credential,
    authoriseBody(secrets, id, authorise),
  );
  expect(asked.status).toBe(200);
  const billed = await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(id, settle));
  expect(billed.status).toBe(200);
}

const sums = async (query: string) => {
  const { status, body } = await api.admin('GET', `/v1/tenants/demo/usage/summary?${query}`);
  expect(status).toBe(200);
  return body.items;
};

test('rollups are what their lines say, whatever came in whatever order', async () => {
  const random = new Random(seedOf('rollups'));
  const tenants = await Promise.all(['demo', 'other'].map((name) => api.tenant(name)));
  const { body: key } = await api.admin('POST', '/v1/tenants/demo/keys', { name: 'ci' });
  const [demo] = tenants;
  for (let round = 0; round < 12; round += 1) {
    now = new Date(now.getTime() + random.integer(0, 30) * 3_600_000);
    // Lines come in before, while and after they are rolled up, by more than one process.
    const rolling = random.chance(0.5) ? [rollUp(pool), rollUp(pool)] : [];
    await Promise.all([
      ...rolling,
      ...Array.from({ length: 10 }, () => {
        const secrets = random.pick(tenants);
        const model = random.pick(['small', 'large']);
        const byKey = secrets === demo && random.chance(0.3);
        const externalId = `user-${random.integer(1, 3)}`;
        return request({
          secrets,
          authorise: byKey
            ? { model, keySha256: sha256Hex(key.key), user: undefined }
            : { model, user: { externalId, name: externalId, role: 'user' } },
          settle: { modelServed: model },
        });
      }),
    ]);
    expect(await faults()).toEqual([]);
  }
  await sumsAreRight();
  await rollUp(pool);
  expect(await faults()).toEqual([]);
  expect(await behind()).toEqual([]);
  await sumsAreRight();
});

/** What the API says of demo, whatever is rolled up already, is what its lines add up to. */
async function sumsAreRight(): Promise<void> {
  const lines = await pool.query(`select count(*)::int as requests, sum(total)::text as total from usage_line
    join account a on a.id = account_id join tenant t on t.id = a.tenant_id where t.name = 'demo'`);
  const [all] = await sums('from=2026-11-01&to=2026-12-31');
  expect(all).toMatchObject({ requests: lines.rows[0].requests, totalNanoEur: lines.rows[0].total });
  for (const groupBy of ['day', 'model', 'user', 'key', 'day,model,user,key', 'modelServed']) {
    const groups = await sums(`from=2026-11-01&to=2026-12-31&groupBy=${groupBy}&limit=500`);
    const total = groups.reduce((sum: bigint, group: { totalNanoEur: string }) => sum + BigInt(group.totalNanoEur), 0n);
    expect(total.toString(), groupBy).toBe(all.totalNanoEur);
  }
}

test('a rollup that was tampered with, or is missing, is found', async () => {
  const secrets = await api.tenant('demo');
  await request({ secrets });
  await rollUp(pool);
  await pool.query('update usage_rollup set total = total + 1');
  expect(await faults()).toMatchObject([{ total_of_lines: 318_378n, total_of_rollups: 318_379n }]);
  await pool.query('delete from usage_rollup');
  expect(await faults()).toMatchObject([{ total_of_lines: 318_378n, total_of_rollups: 0n }]);
});

describe('days', () => {
  test('begin at midnight of the tenant’s time zone, also when clocks change', async () => {
    now = new Date('2026-10-24T21:59:59Z');
    const secrets = await api.tenant('demo');
    // The 25th has 25 hours: from 22:00 to 23:00 of the next day in UTC.
    for (const at of ['2026-10-24T21:59:59Z', '2026-10-24T22:00:00Z', '2026-10-25T22:59:59Z', '2026-10-25T23:00:00Z']) {
      now = new Date(at);
      await request({ secrets });
    }
    expect(await sums('from=2026-10-01&to=2026-10-31&groupBy=day')).toMatchObject([
      { day: '2026-10-24', requests: 1 },
      { day: '2026-10-25', requests: 2 },
      { day: '2026-10-26', requests: 1 },
    ]);
  });

  test('are cut anew when the tenant moves to another time zone, also while requests come in', async () => {
    now = new Date('2026-11-20T23:30:00Z');
    const secrets = await api.tenant('demo');
    await request({ secrets });
    await rollUp(pool);
    const { body } = await api.admin('GET', '/v1/tenants/demo');
    const { tenant: _tenant, state: _state, budget: _budget, ...registration } = body;
    const traffic = Promise.all(Array.from({ length: 20 }, () => request({ secrets })));
    const change = { ...registration, timeZone: 'America/New_York' };
    const [moved] = await Promise.all([api.admin('PUT', '/v1/tenants/demo', change), rollUp(pool), rollUp(pool)]);
    expect(moved.status).toBe(200);
    await Promise.all([traffic, rollUp(pool)]);
    await request({ secrets });
    for (let round = 0; round < 2; round += 1) {
      expect(await faults()).toEqual([]);
      expect(await sums('from=2026-11-01&to=2026-11-30&groupBy=day')).toMatchObject([
        { day: '2026-11-20', requests: 22 },
      ]);
      await rollUp(pool);
    }
    expect(await behind()).toEqual([]);
  });
});
