import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openVault } from '../crypto/vault.ts';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { Throttle, type ThrottleRule } from './throttle.ts';

const HOUR_MS = 3_600_000;
const RULE: ThrottleRule = {
  name: 'test',
  free: 3,
  firstWaitMs: HOUR_MS,
  longestWaitMs: 4 * HOUR_MS,
  forgetMs: 8 * HOUR_MS,
};
const vault = openVault('encryption-key-of-the-tests-00000');
const ada = { rule: RULE, subject: 'ada@example.test' };

let databases: TestDatabases;
let pools: [pg.Pool, pg.Pool];
let replicas: [Throttle, Throttle];
beforeAll(async () => {
  databases = await startTestDatabases();
  const url = await databases.clone();
  pools = [openPool({ url, onError: () => {} }), openPool({ url, onError: () => {} })];
  replicas = [new Throttle(pools[0], vault), new Throttle(pools[1], vault)];
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await databases.stop();
});
beforeEach(() => pools[0].query('delete from throttle'));

/** As if so much time had passed. */
const pass = (hours: number) =>
  pools[0].query(
    `update throttle set blocked_until = blocked_until - make_interval(hours => $1),
       forgotten_at = forgotten_at - make_interval(hours => $1)`,
    [hours],
  );

test('attempts at two replicas at once are counted together', async () => {
  const waits = await Promise.all(Array.from({ length: 40 }, (_, n) => replicas[n % 2 === 0 ? 0 : 1].attempt(ada)));
  expect(waits.filter((wait) => wait === 0).length).toBe(3);
  expect(Math.max(...waits)).toBeLessThanOrEqual(HOUR_MS);
});

test('the wait doubles up to the longest, and all is forgotten after a while without attempts', async () => {
  const [throttle] = replicas;
  for (let number = 1; number <= 3; number += 1) expect(await throttle.attempt(ada)).toBe(0);
  for (const hours of [1, 2, 4, 4, 4]) {
    const wait = await throttle.attempt(ada);
    expect(Math.round(wait / HOUR_MS)).toBe(hours);
    await pass(hours);
    expect(await throttle.attempt(ada)).toBe(0);
  }
  await pass(9);
  for (let number = 1; number <= 3; number += 1) expect(await throttle.attempt(ada)).toBe(0);
});

test('subjects are counted apart, whatever their case, and none can be read from the table', async () => {
  const [throttle] = replicas;
  for (const subject of ['ada@example.test', 'ADA@example.test', 'Ada@Example.Test']) {
    expect(await throttle.attempt({ rule: RULE, subject })).toBe(0);
  }
  expect(await throttle.attempt(ada)).toBeGreaterThan(0);
  expect(await throttle.attempt({ rule: RULE, subject: 'grace@example.test' })).toBe(0);
  const { rows } = await pools[0].query<{ row: string }>('select t::text as row from throttle t');
  expect(rows.map(({ row }) => row).join()).not.toMatch(/ada|grace/i);
});

test('of several, the first that has to wait ends it: those after it are not counted', async () => {
  const [throttle] = replicas;
  const account = { rule: { ...RULE, name: 'account' }, subject: 'ada@example.test' };
  for (let number = 1; number <= 3; number += 1) await throttle.attempt(ada);
  for (let number = 1; number <= 9; number += 1) expect(await throttle.attempt(ada, account)).toBeGreaterThan(0);
  for (let number = 1; number <= 3; number += 1) expect(await throttle.attempt(account)).toBe(0);
});

test('a good attempt is forgotten for an account, and for a network address does not count', async () => {
  const [throttle] = replicas;
  for (let number = 1; number <= 9; number += 1) {
    expect(await throttle.attempt(ada)).toBe(0);
    await throttle.refund(ada);
  }
  for (let number = 1; number <= 3; number += 1) await throttle.attempt(ada);
  expect(await throttle.attempt(ada)).toBeGreaterThan(0);
  await throttle.forget(ada);
  expect(await throttle.attempt(ada)).toBe(0);
});
