import type pg from 'pg';
import type { Logger } from 'pino';
import { every } from '../every.ts';

/** Milliseconds between two looks. Queries add what is not rolled up yet, so nobody waits for it. */
const ROLL_INTERVAL_MS = 10_000;
/** Accounts rolled up in one transaction. */
const ACCOUNTS_AT_ONCE = 200;

/** Brings the rollups of usage up to the present, in as many processes as there are. @returns its stop */
export function startRoller(pool: pg.Pool, log: Logger): () => Promise<void> {
  return every(
    ROLL_INTERVAL_MS,
    () => rollUp(pool),
    (err) => log.warn({ err }, 'usage was not rolled up; the next look does it'),
  );
}

/** Rolls up what has come since the last time. */
export async function rollUp(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ account_id: bigint }>(`
    select b.account_id from balance b left join usage_rolled r on r.account_id = b.account_id
    where b.sequence > coalesce(r.through, 0) order by b.account_id`);
  for (let first = 0; first < rows.length; first += ACCOUNTS_AT_ONCE) {
    const accounts = rows.slice(first, first + ACCOUNTS_AT_ONCE).map(({ account_id }) => account_id);
    await pool.query('select usage_roll_up(id) from unnest($1::bigint[]) id', [accounts]);
  }
}
