import type pg from 'pg';
import type { Logger } from 'pino';
import { every } from '../every.ts';

/** Milliseconds between two looks: as often as a tenant is told at most. */
const INTERVAL_MS = 1_000;

/** Tells the live streams what was posted and how budgets stand, in as many processes as there are. @returns its stop */
export function startTeller(pool: pg.Pool, log: Logger): () => Promise<void> {
  return every(
    INTERVAL_MS,
    async () => {
      await pool.query('select events_tell()');
    },
    (err) => log.warn({ err }, 'streams were not told of usage; the next look does it'),
  );
}
