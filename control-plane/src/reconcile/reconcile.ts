import type pg from 'pg';
import { z } from 'zod';
import { compare, Fault, Figures } from './compare.ts';

/** Any fixed number of our own: whoever holds it compares, in whichever process. */
const ADVISORY_LOCK = 4_206_007;

export type Cause = { readonly cause: 'admin' } | { readonly cause: 'night'; readonly night: string };

export type Reconciliation = z.output<typeof ReconciliationRow>;

export const ReconciliationRow = z
  .object({
    id: z.uuid(),
    cause: z.enum(['night', 'admin']),
    started_at: z.date(),
    finished_at: z.date(),
    ok: z.boolean(),
    faults: z.array(Fault),
    figures: Figures,
  })
  .transform(({ started_at, finished_at, ...row }) => ({ ...row, startedAt: started_at, finishedAt: finished_at }));

/**
 * Compares and stores what was found. The lock belongs to the connection, so it goes with a process that dies, and
 * another one starts over.
 * @returns undefined when another process is at it, or has done this night
 */
export async function reconcile(pool: pg.Pool, cause: Cause, now: () => Date): Promise<Reconciliation | undefined> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const { rows } = await client.query<{ ours: boolean }>('select pg_try_advisory_lock($1) as ours', [ADVISORY_LOCK]);
    if (rows[0]?.ours !== true) return undefined;
    try {
      return await compareAndStore(client, cause, now);
    } finally {
      await client.query('select pg_advisory_unlock($1)', [ADVISORY_LOCK]);
    }
  } catch (error) {
    broken = error as Error;
    throw error;
  } finally {
    // A connection of unknown state is closed, and the lock with it.
    client.release(broken);
  }
}

async function compareAndStore(
  client: pg.PoolClient,
  cause: Cause,
  now: () => Date,
): Promise<Reconciliation | undefined> {
  const night = cause.cause === 'night' ? cause.night : null;
  if (night !== null) {
    const done = await client.query('select from reconciliation where night = $1', [night]);
    if (done.rowCount !== 0) return undefined;
  }
  const startedAt = now();
  const { faults, figures } = await compare(client, startedAt);
  const { rows } = await client.query(
    `insert into reconciliation (cause, night, started_at, finished_at, ok, faults, figures)
     values ($1, $2, $3, $4, $5, $6, $7) returning *`,
    [cause.cause, night, startedAt, now(), faults.length === 0, JSON.stringify(faults), figures],
  );
  return ReconciliationRow.parse(rows[0]);
}
