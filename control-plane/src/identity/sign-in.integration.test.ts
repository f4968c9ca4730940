import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inTransaction, openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import {
  attemptSecondFactor,
  completeFirstFactor,
  completeSecondFactor,
  type FirstFactor,
  MAX_PENDING_ATTEMPTS,
  readPendingSignIn,
  type SignIn,
} from './sign-in.ts';

const CALL = { client: { address: '203.0.113.1', userAgent: 'Browser/1', language: undefined }, cookies: new Map() };

let databases: TestDatabases;
let pool: pg.Pool;
let personId: string;
beforeAll(async () => {
  databases = await startTestDatabases();
  pool = openPool({ url: await databases.clone(), onError: () => {} });
});
afterAll(async () => {
  await pool.end();
  await databases.stop();
});
beforeEach(async () => {
  await pool.query('delete from pending_sign_in');
  const { rows } = await pool.query<{ id: string }>(
    `insert into person (email, name, email_verified_at) values (gen_random_uuid() || '@example.test', 'Ada', now())
     returning id`,
  );
  personId = rows[0]?.id ?? '';
  await pool.query(`insert into totp (person_id, secret, confirmed_at) values ($1, 'sealed', now())`, [personId]);
});

const first = (method: FirstFactor) =>
  inTransaction(pool, (client) => completeFirstFactor(client, personId, method, CALL));
const second = (token: string) => inTransaction(pool, (client) => completeSecondFactor(client, token, 'totp', CALL));
const pendingTokenOf = (signIn: SignIn) => (signIn.kind === 'second_factor_required' ? signIn.pendingToken : '');
const sessions = async () =>
  (await pool.query('select methods from session where person_id = $1', [personId])).rows.map(({ methods }) => methods);

test.each(['password', 'google', 'github', 'gitlab', 'confirmation'] as const)(
  'a person with a second factor is asked for it after %s, whatever the first was',
  async (method) => {
    expect(await first(method)).toMatchObject({ kind: 'second_factor_required', methods: ['totp'] });
    expect(await sessions()).toEqual([]);
  },
);

test('a passkey that checked its user is both factors', async () => {
  expect(await first('passkey')).toMatchObject({ kind: 'signed_in' });
  expect(await sessions()).toEqual([['passkey']]);
});

test('the second factor completes what the first began, once', async () => {
  const token = pendingTokenOf(await first('github'));
  expect(await attemptSecondFactor(pool, token)).toEqual({ personId, methods: ['github'] });
  const results = await Promise.all(Array.from({ length: 20 }, () => second(token)));
  expect(results.filter((result) => result?.kind === 'signed_in').length).toBe(1);
  expect(results.filter((result) => result === undefined).length).toBe(19);
  expect(await sessions()).toEqual([['github', 'totp']]);
});

test('a pending sign-in allows five attempts, also in parallel', async () => {
  const token = pendingTokenOf(await first('password'));
  const attempts = await Promise.all(Array.from({ length: 20 }, () => attemptSecondFactor(pool, token)));
  expect(attempts.filter((attempt) => attempt !== undefined).length).toBe(MAX_PENDING_ATTEMPTS);
  expect(await readPendingSignIn(pool, token)).toBeUndefined();
});

test('it is over after ten minutes, and unknown tokens are none', async () => {
  const token = pendingTokenOf(await first('password'));
  expect(await readPendingSignIn(pool, token)).toEqual({ personId, methods: ['password'] });
  await pool.query(`update pending_sign_in set expires_at = expires_at - interval '10 minutes'`);
  expect(await readPendingSignIn(pool, token)).toBeUndefined();
  expect(await attemptSecondFactor(pool, token)).toBeUndefined();
  expect(await second(token)).toBeUndefined();
  expect(await second('x'.repeat(43))).toBeUndefined();
});

test('who is locked between the two steps is not let in', async () => {
  const token = pendingTokenOf(await first('password'));
  await pool.query(`update person set state = 'locked' where id = $1`, [personId]);
  expect(await second(token)).toEqual({ kind: 'locked' });
  expect(await first('passkey')).toEqual({ kind: 'locked' });
  expect(await sessions()).toEqual([]);
});
