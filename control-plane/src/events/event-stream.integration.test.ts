import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { ADMIN_KEY, type Api, startApi } from '../testing/api.ts';
import { type EventReader, readEvents } from '../testing/event-reader.ts';
import { Bell } from './bell.ts';
import { eventStream } from './event-stream.ts';
import { pruneEvents } from './prune.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let databaseUrl: string;
let api: Api;
let pool: pg.Pool;
let readers: EventReader[];
beforeEach(async () => {
  databaseUrl = await databases.clone();
  api = await startApi({ databaseUrl });
  await api.tenant('demo');
  pool = openPool({ url: databaseUrl, onError: () => {} });
  readers = [];
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await pool.end();
  await api.stop();
});

const append = async (tenant: string, data: object) => {
  const text = `select event_append(id, 'test.happened', $2) from tenant where name = $1`;
  await pool.query(text, [tenant, data]);
};

async function read(more: { tenant?: string; query?: string; headers?: Record<string, string>; on?: Api } = {}) {
  const { tenant = 'demo', query = '', headers = {}, on = api } = more;
  const reader = await readEvents(`${on.controlPlane.url}/v1/tenants/${tenant}/events${query}`, ADMIN_KEY, headers);
  readers.push(reader);
  return reader;
}

const ids = (reader: EventReader) => reader.events.map(({ id }) => Number(id));

test('shows what happens from now on, at once, and nothing of another tenant', async () => {
  await api.tenant('other');
  await append('demo', { before: true });
  const reader = await read();
  expect(reader.status).toBe(200);
  expect(Object.fromEntries(reader.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  await append('other', { secret: true });
  await append('demo', { text: 'two\nlines' });
  await expect
    .poll(() => reader.events)
    .toMatchObject([{ id: '2', type: 'test.happened', data: { text: 'two\nlines', at: expect.any(String) } }]);
});

test('goes on after the last event the reader has, in order and without a gap, however many there are', async () => {
  await pool.query(`select event_append(t.id, 'test.happened', '{}') from tenant t, generate_series(1, 1000) n
    where t.name = 'demo'`);
  const reader = await read({ headers: { 'last-event-id': '3' }, query: '?after=900' });
  await expect.poll(() => reader.events.length).toBe(997);
  expect(ids(reader)).toEqual(Array.from({ length: 997 }, (_, index) => index + 4));
  const all = await read({ query: '?after=0' });
  await expect.poll(() => all.events.length).toBe(1000);
});

test('a number that is ahead of us starts with what comes now', async () => {
  await append('demo', {});
  const reader = await read({ headers: { 'last-event-id': '99' } });
  await append('demo', {});
  await expect.poll(() => ids(reader)).toEqual([2]);
});

test('with a filter shows those types alone, families too, and still goes on after the last one seen', async () => {
  const types = ['member.joined', 'member.left', 'key.created', 'memberxjoined.x', 'budget.changed', 'member.left'];
  for (const type of types) {
    await pool.query(`select event_append(id, $1, '{}') from tenant where name = 'demo'`, [type]);
  }
  const members = await read({ query: '?after=0&types=member.*,budget.changed' });
  await expect.poll(() => ids(members)).toEqual([1, 2, 5, 6]);
  const joined = await read({ query: '?after=0&types=member.joined' });
  await expect.poll(() => ids(joined)).toEqual([1]);
  await append('demo', {});
  await pool.query(`select event_append(id, 'member.joined', '{}') from tenant where name = 'demo'`);
  await expect.poll(() => ids(joined)).toEqual([1, 8]);
  const resumed = await read({ query: '?types=member.*', headers: { 'last-event-id': '5' } });
  await expect.poll(() => ids(resumed)).toEqual([6, 8]);
});

test('with a filter nothing is lost or read twice, however much of other types lies between', async () => {
  await pool.query(`select event_append(t.id, case when n % 7 = 0 then 'test.wanted' else 'test.other' end, '{}')
    from tenant t, generate_series(1, 2100) n where t.name = 'demo'`);
  const reader = await read({ query: '?after=0&types=test.wanted' });
  await expect.poll(() => reader.events.length).toBe(300);
  expect(ids(reader)).toEqual(Array.from({ length: 300 }, (_, index) => (index + 1) * 7));
});

test('shows what another replica wrote', async () => {
  const other = await startApi({ databaseUrl });
  const reader = await read({ on: other });
  await append('demo', { n: 1 });
  await expect.poll(() => ids(reader)).toEqual([1]);
  await other.stop();
  await expect.poll(() => reader.ended()).toBe(true);
});

test('writers at the same time leave no gap that a reader could fall into', async () => {
  const reader = await read();
  await Promise.all(Array.from({ length: 100 }, (_, n) => append('demo', { n })));
  await expect.poll(() => reader.events.length).toBe(100);
  expect(ids(reader)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
});

test('an event that was rolled back was never there, and its number is given to the next', async () => {
  const reader = await read();
  const client = await pool.connect();
  await client.query('begin');
  await client.query(`select event_append(id, 'test.happened', '{"never": true}') from tenant where name = 'demo'`);
  await client.query('rollback');
  client.release();
  await append('demo', { kept: true });
  await expect.poll(() => reader.events).toMatchObject([{ id: '1', data: { kept: true } }]);
});

test('losing the connection that listens costs no event', async () => {
  const reader = await read();
  await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'cloudfreedom-bell' and datname = current_database()`);
  await append('demo', { n: 1 });
  await expect.poll(() => ids(reader), { timeout: 10_000 }).toEqual([1]);
  // And it listens again.
  await expect
    .poll(async () => {
      const { rowCount } = await pool.query(`select from pg_stat_activity
        where application_name = 'cloudfreedom-bell' and datname = current_database()`);
      return rowCount;
    })
    .toBe(1);
});

test('events are kept for ninety days; who resumes from before gets what there is, with the numbers it had', async () => {
  for (let n = 1; n <= 3; n += 1) await append('demo', { n });
  await pool.query('alter table event disable trigger event_append_only');
  await pool.query(`update event set at = '2026-01-01T00:00:00Z' where id = 1`);
  await pool.query('alter table event enable trigger event_append_only');
  expect(await pruneEvents(pool, new Date('2026-03-30T00:00:00Z'))).toBe(0);
  expect(await pruneEvents(pool, new Date('2026-04-03T00:00:00Z'))).toBe(1);
  const reader = await read({ query: '?after=0' });
  await expect.poll(() => ids(reader)).toEqual([2, 3]);
});

test('what rings between two waits is not lost, and wakes the next at once', async () => {
  const bell = new Bell(databaseUrl, pino({ level: 'silent' }));
  await bell.start();
  const signal = new AbortController().signal;
  const [ear, witness] = [bell.ear('cloudfreedom_delivery', ''), bell.ear('cloudfreedom_delivery', '')];
  const heard = witness.wait(10_000, signal);
  await pool.query('notify cloudfreedom_delivery');
  expect(await heard).toBe(true);
  const start = performance.now();
  expect(await ear.wait(60_000, signal)).toBe(true);
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(await ear.wait(1, signal)).toBe(false);
  await bell.stop();
});

test('silence is filled with comments, so that both ends know the other lives', async () => {
  const bell = new Bell(databaseUrl, pino({ level: 'silent' }));
  await bell.start();
  const { rows } = await pool.query<{ id: bigint }>(`select id from tenant where name = 'demo'`);
  const stop = new AbortController();
  const options = { pool, bell, tenant: rows[0]?.id ?? 0n, after: 0n, signal: stop.signal, heartbeatMs: 20 };
  const pieces: string[] = [];
  for await (const piece of eventStream(options)) {
    pieces.push(piece);
    if (pieces.length === 4) stop.abort();
  }
  expect(pieces).toEqual(['retry: 2000\n\n', ...Array(3).fill(': still here\n\n')]);
  expect(bell.count('cloudfreedom_event', String(rows[0]?.id))).toBe(0);
  await bell.stop();
});

test('ends when the process shuts down, at once', async () => {
  const reader = await read();
  const start = performance.now();
  await api.stop();
  await expect.poll(() => reader.ended()).toBe(true);
  expect(performance.now() - start).toBeLessThan(5_000);
  api = await startApi({ databaseUrl });
});

test('a tenant has at most fifty', async () => {
  await Promise.all(Array.from({ length: 50 }, () => read()));
  const refused = await api.admin('GET', '/v1/tenants/demo/events');
  expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_streams' } });
  expect(refused.headers.get('retry-after')).toBe('30');
  readers.pop()?.close();
  await expect.poll(async () => (await read()).status).toBe(200);
});

test.each([
  ['?after=many', {}],
  ['?since=1', {}],
  ['?types=', {}],
  ['?types=member.%', {}],
  ['?types=*', {}],
  ['', { 'last-event-id': 'x' }],
])('%s %o is refused', async (query, headers) => {
  expect((await api.admin('GET', `/v1/tenants/demo/events${query}`, undefined, headers)).status).toBe(422);
});

test('of a tenant that does not exist is a 404', async () => {
  expect((await api.admin('GET', '/v1/tenants/nobody/events')).status).toBe(404);
});

test('ends within seconds for a reader who may not have it any more', async () => {
  const owner = await api.signedIn('owner@example.test');
  await api.belongs(owner, 'demo', 'owner');
  const key = async () =>
    (await api.as(owner, 'POST', '/v1/tenants/demo/keys', { name: 'stream', scopes: ['usage.read'] })).body;
  const [kept, revoked] = [await key(), await key()];
  const url = `${api.controlPlane.url}/v1/tenants/demo/events`;
  const leaver = await api.signedIn('leaver@example.test');
  await api.belongs(leaver, 'demo', 'admin');
  const stays = await readEvents(url, kept.key);
  const byKey = await readEvents(url, revoked.key);
  const bySession = await readEvents(url, undefined, { cookie: leaver.cookie });
  readers.push(stays, byKey, bySession);
  expect([stays, byKey, bySession].map(({ status }) => status)).toEqual([200, 200, 200]);
  await api.as(owner, 'DELETE', `/v1/tenants/demo/keys/${revoked.id}`);
  await pool.query('delete from membership where person_id = $1', [leaver.id]);
  await expect.poll(() => [byKey.ended(), bySession.ended()], { timeout: 20_000 }).toEqual([true, true]);
  expect(stays.ended()).toBe(false);
});
