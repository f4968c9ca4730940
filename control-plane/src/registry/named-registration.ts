import type pg from 'pg';
import { z } from 'zod';

/** The tables that hold a name and its registration. Never from outside: it goes into the statement's text. */
export type RegistrationTable = 'model' | 'plan';

const Row = z.object({ name: z.string(), registration: z.unknown() });

/** Stores a registration; an equal one is not written again. */
export async function register(
  pool: pg.Pool,
  table: RegistrationTable,
  name: string,
  registration: object,
): Promise<'created' | 'changed' | 'unchanged'> {
  const stored = await registrationOf(pool, table, name, registration);
  if (stored === EQUAL) return 'unchanged';
  const { rows } = await pool.query<{ created: boolean }>(
    `insert into ${table} (name, registration) values ($1, $2)
     on conflict (name) do update set registration = excluded.registration, changed_at = now()
     returning xmax = 0 as created`,
    [name, registration],
  );
  return rows[0]?.created === true ? 'created' : 'changed';
}

const EQUAL = Symbol('equal');

/** What is stored under a name; undefined when nothing is, EQUAL when it is the same as `compare`. */
export async function registrationOf(
  pool: pg.Pool,
  table: RegistrationTable,
  name: string,
  compare: object | null = null,
): Promise<unknown> {
  const { rows } = await pool.query<{ registration: unknown; equal: boolean | null }>(
    `select registration, registration = $2::jsonb as equal from ${table} where name = $1`,
    [name, compare],
  );
  return rows[0]?.equal ? EQUAL : rows[0]?.registration;
}

/** Registrations in the order of their names. */
export async function registrationsAfter(
  pool: pg.Pool,
  table: RegistrationTable,
  name: string,
  limit: number,
): Promise<z.output<typeof Row>[]> {
  const { rows } = await pool.query(`select name, registration from ${table} where name > $1 order by name limit $2`, [
    name,
    limit,
  ]);
  return rows.map((row) => Row.parse(row));
}

/** @returns whether there was one */
export async function unregister(pool: pg.Pool, table: RegistrationTable, name: string): Promise<boolean> {
  const { rowCount } = await pool.query(`delete from ${table} where name = $1`, [name]);
  return rowCount === 1;
}
