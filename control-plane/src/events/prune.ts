import type pg from 'pg';

/** Days an event can be read again by those who resume. Alerts themselves are kept for good. */
export const EVENT_DAYS = 90;
/** Events taken away by one statement: its locks are short, whatever has piled up. */
const BATCH = 10_000;

/** Takes away events that nobody resumes from any more. @returns how many */
export async function pruneEvents(pool: pg.Pool, now: Date): Promise<number> {
  for (let pruned = 0; ; ) {
    const { rowCount } = await pool.query(
      `delete from event where (tenant_id, id) in (
         select tenant_id, id from event where at < $1::timestamptz - $2 * interval '1 day' limit $3)`,
      [now, EVENT_DAYS, BATCH],
    );
    pruned += rowCount ?? 0;
    if ((rowCount ?? 0) < BATCH) return pruned;
  }
}
