import type pg from 'pg';
import type { Logger } from 'pino';
import { every } from '../every.ts';

/** Milliseconds between two looks. */
const INTERVAL_MS = 60_000;
/** Rows taken away by one statement. */
const BATCH = 10_000;
/** Minutes a window's count stays after its end; it names client addresses, so not for long. */
const WINDOW_MINUTES = 5;

/** Takes away kept answers that have expired and windows that are over. @returns its stop */
export function startUpkeep(pool: pg.Pool, log: Logger): () => Promise<void> {
  return every(
    INTERVAL_MS,
    () => tidyUp(pool),
    (err) => log.warn({ err }, 'expired rows were not taken away; the next look does it'),
  );
}

export async function tidyUp(pool: pg.Pool): Promise<void> {
  const old = [
    `delete from idempotency where ctid = any(array(
       select ctid from idempotency where expires_at <= clock_timestamp() limit ${BATCH}))`,
    `delete from rate_window where ctid = any(array(
       select ctid from rate_window where ends_at <= clock_timestamp() - ${WINDOW_MINUTES} * interval '1 minute'
       limit ${BATCH}))`,
  ];
  for (const text of old) {
    for (let gone = BATCH; gone === BATCH; ) gone = (await pool.query(text)).rowCount ?? 0;
  }
}
