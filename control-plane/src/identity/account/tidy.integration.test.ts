import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashToken, newToken } from '../../crypto/token.ts';
import { openPool } from '../../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { openSession } from '../session/sessions.ts';
import { removeExpired } from './tidy.ts';

let databases: TestDatabases;
let pool: pg.Pool;
beforeAll(async () => {
  databases = await startTestDatabases();
  pool = openPool({ url: await databases.clone(), onError: () => {} });
});
afterAll(async () => {
  await pool.end();
  await databases.stop();
});

const TABLES = ['registration', 'password_reset', 'address_change', 'pending_sign_in', 'throttle', 'mail', 'session'];

test('what has expired goes, in every table, and what is still good stays', async () => {
  const { rows } = await pool.query<{ id: string }>(
    `insert into person (email, name, email_verified_at) values ('ada@example.test', 'Ada', now()) returning id`,
  );
  const person = rows[0]?.id ?? '';
  for (const when of ['-1 hour', '1 hour']) {
    const hash = () => hashToken(newToken());
    await pool.query(
      `insert into registration (email, name, language, password_hash, terms_version, token_sha256, browser_sha256, expires_at)
       values ('a@example.test', 'A', 'de', 'x', '1', $1, $2, now() + $3::interval)`,
      [hash(), hash(), when],
    );
    await pool.query(`insert into password_reset values ($1, 'a@example.test', now(), now() + $2::interval)`, [
      hash(),
      when,
    ]);
    await pool.query(
      `insert into address_change values ($1, $2, 'undo', 'a@example.test', now(), now() + $3::interval)`,
      [hash(), person, when],
    );
    await pool.query(`insert into pending_sign_in values ($1, $2, '{password}', 0, now(), now() + $3::interval)`, [
      hash(),
      person,
      when,
    ]);
    await pool.query(`insert into throttle values ('r', $1, 1, null, now() + $2::interval)`, [hash(), when]);
    await pool.query(
      `insert into mail (state, expires_at, ended_at) values ('sent', now(), now() - interval '30 days' + $1::interval)`,
      [when],
    );
    const { id } = await openSession(pool, person, ['password'], { address: undefined, userAgent: undefined });
    await pool.query(`update session set revoked_at = now() - interval '30 days' + $2::interval where id = $1`, [
      id,
      when,
    ]);
  }
  await removeExpired(pool);
  for (const table of TABLES) expect((await pool.query(`select from ${table}`)).rowCount, table).toBe(1);
});
