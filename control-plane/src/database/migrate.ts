import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';

/** Where the product's own migrations are. */
export const MIGRATIONS_FOLDER = join(import.meta.dirname, '../../db/migrations');
/** Any fixed number: replicas that start together queue up behind it. */
const ADVISORY_LOCK = 4_206_001;
/** A migration's file name, e.g. 0001-registry.sql. */
const FILE_NAME = /^\d{4}-[a-z0-9-]+\.sql$/;

type Migration = { readonly name: string; readonly sql: string; readonly sha256: string };

/**
 * Brings the database to this version: forward only, one transaction per file, in order of their names.
 * @returns the names of the files that were applied now
 * @throws when a file that was applied has since been edited or removed, or when one fails (which then left nothing behind)
 */
export async function migrate(pool: pg.Pool, folder: string = MIGRATIONS_FOLDER): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await client.query(`create table if not exists migration (
      name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
    const { rows } = await client.query<{ name: string; sha256: string }>('select name, sha256 from migration');
    const pending = pendingMigrations(migrations, rows);
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } catch (error) {
    broken = error as Error;
    throw error;
  } finally {
    if (broken === undefined) await client.query('select pg_advisory_unlock($1)', [ADVISORY_LOCK]);
    client.release(broken);
  }
}

/** Decides what is to be applied. @throws when the applied ones are not the first of the files, unchanged */
export function pendingMigrations(
  files: readonly Migration[],
  applied: readonly { name: string; sha256: string }[],
): Migration[] {
  const known = new Map(files.map((file) => [file.name, file]));
  for (const { name, sha256 } of applied) {
    const file = known.get(name);
    if (file === undefined) {
      throw new Error(`the database has migration ${name}, which this version lacks: start a version at least as new`);
    }
    if (file.sha256 !== sha256) {
      throw new Error(
        `migration ${name} was edited after it had been applied: restore it and write a new file instead`,
      );
    }
  }
  const names = new Set(applied.map(({ name }) => name));
  return files.filter(({ name }) => !names.has(name));
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function apply(client: pg.PoolClient, { name, sql, sha256 }: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(sql);
    await client.query('insert into migration (name, sha256) values ($1, $2)', [name, sha256]);
    await client.query('commit');
  } catch (cause) {
    throw new Error(`migration ${name} failed: ${(cause as Error).message}`, { cause });
  }
}
