import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MIGRATIONS_FOLDER, migrate, pendingMigrations } from './migrate.ts';
import { openPool } from './pool.ts';
import { startTestDatabases, type TestDatabases } from './test-database.ts';

let databases: TestDatabases;
let folder: string;
let pool: pg.Pool;
beforeAll(async () => {
  databases = await startTestDatabases();
  pool = openPool({ url: await databases.clone(), onError: () => {} });
});
afterAll(async () => {
  await pool.end();
  await databases.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudfreedom-migrations-'));
  await cp(MIGRATIONS_FOLDER, folder, { recursive: true });
  return () => rm(folder, { recursive: true });
});

test('a migrated database is left alone', async () => {
  expect(await migrate(pool, folder)).toEqual([]);
});

test('replicas that start together apply a file once', async () => {
  await writeFile(join(folder, '9001-together.sql'), 'create table together (id int)');
  const applied = await Promise.all([migrate(pool, folder), migrate(pool, folder), migrate(pool, folder)]);
  expect(applied.flat()).toEqual(['9001-together.sql']);
  await pool.query(`drop table together; delete from migration where name like '9001%'`);
});

test('a file that fails leaves nothing behind and says which it was', async () => {
  await writeFile(join(folder, '9002-broken.sql'), 'create table half (id int); select nothing_of_this_name()');
  await expect(migrate(pool, folder)).rejects.toThrow('9002-broken.sql');
  expect((await pool.query(`select to_regclass('half') as half`)).rows).toEqual([{ half: null }]);
  expect(await migrate(pool, MIGRATIONS_FOLDER)).toEqual([]);
});

test('a file that was edited after it had been applied is refused', async () => {
  await writeFile(join(folder, '0001-registry.sql'), '-- emptied');
  await expect(migrate(pool, folder)).rejects.toThrow('0001-registry.sql was edited');
});

test('a database of a newer version is refused', () => {
  const files = [{ name: '0001-a.sql', sql: '', sha256: 'a' }];
  const applied = [...files, { name: '0002-b.sql', sha256: 'b' }];
  expect(() => pendingMigrations(files, applied)).toThrow('0002-b.sql, which this version lacks');
});
