import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { createMetrics } from '../http/metrics.ts';
import { type Api, authoriseBody, settleBody, startApi } from '../testing/api.ts';
import type { TenantSecrets } from '../testing/registrations.ts';
import { rollUp } from '../usage/roller.ts';
import { reconcile } from './reconcile.ts';
import { tick } from './reconciler.ts';

let databases: TestDatabases;
let api: Api;
let pool: pg.Pool;
let secrets: TenantSecrets;
let now: Date;
beforeAll(async () => {
  databases = await startTestDatabases();
});
beforeEach(async () => {
  now = new Date('2026-11-20T10:00:00Z');
  const databaseUrl = await databases.clone();
  api = await startApi({ databaseUrl, now: () => now });
  secrets = await api.tenant('demo');
  pool = openPool({ url: databaseUrl, onError: () => {} });
  return async () => {
    await pool.end();
    await api.stop();
  };
});
afterAll(() => databases.stop());

const hold = async () => {
  const id = randomUUID();
  expect((await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, id))).status).toBe(
    200,
  );
  return id;
};
const settle = (id: string) => api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(id));
const compared = async () => (await api.admin('POST', '/v1/reconciliations', {})).body;

describe('a comparison', () => {
  test('of a ledger in order says so, with its figures', async () => {
    const [posted, voided, live] = [await hold(), await hold(), await hold()];
    await settle(posted);
    await api.call('POST', '/v1/gateway/void', secrets.credential, { requestId: voided, reason: 'client_gone' });
    expect(live).toBeDefined();
    now = new Date('2026-11-20T10:05:00Z');
    expect(await compared()).toMatchObject({
      cause: 'admin',
      ok: true,
      faults: [],
      figures: {
        accounts: 1,
        usageLines: 1,
        faults: 0,
        endedPosted: 1,
        endedVoided: 1,
        endedExpired: 0,
        captureRate: 1,
        authorisedNanoEur: '636756',
        postedNanoEur: '318378',
        liveHolds: 1,
        oldestHoldSeconds: 300,
      },
    });
  });

  test('finds a balance and a rollup that were changed behind the ledger’s back', async () => {
    await settle(await hold());
    await rollUp(pool);
    await pool.query('update balance set posted = posted + 1');
    await pool.query('update usage_rollup set total = total + 1');
    const { ok, faults, figures } = await compared();
    expect(ok).toBe(false);
    expect(figures.faults).toBe(faults.length);
    expect(faults).toEqual(
      expect.arrayContaining([
        { kind: 'ledger', tenant: 'demo', detail: 'the balance is not what its lines say' },
        {
          kind: 'rollup',
          tenant: 'demo',
          detail: 'the rollups of 2026-11-20 are of 318379 nano-EUR, their lines of 318378',
        },
      ]),
    );
  });

  test('finds a hold that outlived its expiry, and counts those that nobody settled', async () => {
    const kept = await hold();
    await hold();
    // Past the hour a hold lives and the minutes the sweeper has; looked at before it could.
    const late = new Date('2026-11-20T11:15:00Z');
    const found = await reconcile(pool, { cause: 'admin' }, () => late);
    expect(found).toMatchObject({ ok: false, figures: { liveHolds: 2, oldestHoldSeconds: 4500, faults: 2 } });
    expect(found?.faults.map(({ kind, detail }) => [kind, detail.includes('should have expired')])).toEqual([
      ['hold', true],
      ['hold', true],
    ]);
    now = late;
    await settle(kept);
    await expect
      .poll(async () => (await pool.query(`select from hold where state = 'held'`)).rowCount, { timeout: 15_000 })
      .toBe(0);
    expect(await compared()).toMatchObject({
      ok: true,
      figures: { endedPosted: 1, endedExpired: 1, captureRate: 0.5 },
    });
  });

  test('is made by one at a time', async () => {
    const client = await pool.connect();
    await client.query('select pg_advisory_lock(4206007)');
    expect(await api.admin('POST', '/v1/reconciliations', {})).toMatchObject({
      status: 409,
      body: { code: 'reconciliation_under_way' },
    });
    client.release(true);
    await expect.poll(async () => (await api.admin('POST', '/v1/reconciliations', {})).status).toBe(201);
  });

  test('leaves the connection as it was: its long time limit does not stay', async () => {
    const one = openPool({ url: api.controlPlane.databaseUrl, maxConnections: 1, onError: () => {} });
    await reconcile(one, { cause: 'admin' }, () => now);
    expect((await one.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '15s' }]);
    expect(
      (await one.query(`select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`)).rowCount,
    ).toBe(0);
    await one.end();
  });
});

describe('what gateways report', () => {
  const report = (open: string[], more: object = {}) =>
    api.call('POST', '/v1/gateway/report', secrets.credential, {
      gateway: 'litellm-1',
      undelivered: 0,
      oldestSeconds: 0,
      deadLetters: 0,
      open,
      complete: true,
      ...more,
    });
  /** Six minutes later, with reports that are fresh then. */
  const later = () => {
    now = new Date(now.getTime() + 6 * 60_000);
  };

  test('is held against the live holds: one that nobody knows of is found', async () => {
    const [known, other, lost] = [await hold(), await hold(), await hold()];
    later();
    const young = await hold();
    expect(young).toBeDefined();
    expect((await report([known])).status).toBe(204);
    await report([other], { gateway: 'litellm-2' });
    expect(await compared()).toMatchObject({
      ok: false,
      faults: [{ kind: 'gateway', tenant: 'demo', detail: `request ${lost} is held, and no gateway knows of it` }],
      figures: { faults: 1, tenantsReported: 1, unknownToGateways: 1 },
    });
    await settle(lost);
    expect(await compared()).toMatchObject({ ok: true });
  });

  test.each([
    ['one gateway has not reported lately', { gateway: 'litellm-2' }, true],
    ['a report is not complete', { complete: false }, false],
  ])('is held against nothing when %s', async (_why, more, early) => {
    await hold();
    if (early) await report([], more);
    later();
    await report([], early ? {} : more);
    expect(await compared()).toMatchObject({ ok: true, figures: { tenantsReported: 0, unknownToGateways: 0 } });
  });

  test('of another tenant says nothing of this one', async () => {
    const foreign = await api.tenant('foreign');
    const id = await hold();
    later();
    const body = { gateway: 'x', undelivered: 0, oldestSeconds: 0, deadLetters: 0, open: [id], complete: true };
    await api.call('POST', '/v1/gateway/report', foreign.credential, body);
    await report([]);
    expect(await compared()).toMatchObject({ ok: false, figures: { tenantsReported: 2, unknownToGateways: 1 } });
  });

  test('of results that were refused is a fault, and shows with the outbox’ lag in the metrics', async () => {
    await report([], { undelivered: 3, oldestSeconds: 70, deadLetters: 2 });
    expect(await compared()).toMatchObject({
      faults: [{ kind: 'gateway', tenant: 'demo', detail: 'gateways have 2 results that were refused for good' }],
      figures: { faults: 2, deadLetters: 2 },
    });
    const metrics = createMetrics(pool);
    await tick({ pool, metrics, log: pino({ level: 'silent' }), now: () => now });
    const text = await metrics.registry.metrics();
    expect(text).toContain('cloudfreedom_outbox_undelivered 3\n');
    expect(text).toContain('cloudfreedom_outbox_oldest_seconds 70\n');
    expect(text).toContain('cloudfreedom_outbox_dead_letters 2\n');
  });

  test('is kept of the fifty newest gateways, and refused where it is malformed', async () => {
    for (let n = 0; n < 52; n += 1) {
      now = new Date(now.getTime() + 1000);
      await report([], { gateway: `litellm-${n}` });
    }
    const { rows } = await pool.query('select gateway from gateway_report order by at');
    expect(rows.length).toBe(50);
    expect(rows[0]).toEqual({ gateway: 'litellm-2' });
    for (const wrong of [{ open: ['x'] }, { undelivered: -1 }, { gateway: '' }, { tenant: 'foreign' }]) {
      expect((await report([], wrong)).status).toBe(422);
    }
  });
});

describe('the nightly one', () => {
  test('is made once a night, however many replicas look', async () => {
    const log = pino({ level: 'silent' });
    const look = () => tick({ pool, metrics: createMetrics(pool), log, now: () => now });
    await Promise.all(Array.from({ length: 5 }, look));
    await look();
    now = new Date('2026-11-21T02:00:00Z');
    await look();
    const { body } = await api.admin('GET', '/v1/reconciliations');
    expect(body.items.map(({ cause, startedAt }: { cause: string; startedAt: string }) => [cause, startedAt])).toEqual([
      ['night', '2026-11-21T02:00:00.000Z'],
      ['night', '2026-11-20T10:00:00.000Z'],
    ]);
  });

  test('that another replica has just made is not made again', async () => {
    const night = { cause: 'night', night: '2026-11-20' } as const;
    expect(await reconcile(pool, night, () => now)).toMatchObject({ ok: true });
    expect(await reconcile(pool, night, () => now)).toBeUndefined();
  });

  test('shows in the metrics of every replica', async () => {
    await hold();
    await settle(await hold());
    const metrics = createMetrics(pool);
    // Before anything is known nothing is said: a zero would raise an alarm.
    const unknown = await metrics.registry.metrics();
    expect(unknown).not.toMatch(/^cloudfreedom_(capture_rate|reconciled_timestamp_seconds) /m);
    await tick({ pool, metrics, log: pino({ level: 'silent' }), now: () => now });
    const text = await metrics.registry.metrics();
    expect(text).toContain('cloudfreedom_live_holds 1\n');
    expect(text).toContain('cloudfreedom_capture_rate 1\n');
    expect(text).toContain('cloudfreedom_reconciliation_faults 0\n');
    expect(text).toContain(`cloudfreedom_reconciled_timestamp_seconds ${now.getTime() / 1000}\n`);
    expect(text).toMatch(/cloudfreedom_oldest_hold_seconds \d/);
  });
});

describe('the list', () => {
  test('is paged, newest first', async () => {
    for (let minute = 0; minute < 3; minute += 1) {
      now = new Date(Date.UTC(2026, 10, 20, 10, minute));
      await compared();
    }
    const first = (await api.admin('GET', '/v1/reconciliations?limit=2')).body;
    const second = (await api.admin('GET', `/v1/reconciliations?limit=2&cursor=${first.nextCursor}`)).body;
    const starts = [...first.items, ...second.items].map(({ startedAt }: { startedAt: string }) => startedAt);
    expect(starts).toEqual(['2026-11-20T10:02:00.000Z', '2026-11-20T10:01:00.000Z', '2026-11-20T10:00:00.000Z']);
    expect(second.nextCursor).toBeNull();
  });

  test.each(['limit=0', 'cursor=nonsense', 'x=1'])('refuses ?%s', async (query) => {
    expect((await api.admin('GET', `/v1/reconciliations?${query}`)).status).toBe(422);
  });
});

test('a body with anything in it is refused', async () => {
  expect((await api.admin('POST', '/v1/reconciliations', { tenant: 'demo' })).status).toBe(422);
});
