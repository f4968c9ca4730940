import type pg from 'pg';
import type { Logger } from 'pino';
import { pruneEvents } from '../events/prune.ts';
import { every } from '../every.ts';
import type { Metrics } from '../http/metrics.ts';
import { ReconciliationRow, reconcile } from './reconcile.ts';

/** Milliseconds between two looks at the clock and at the gauges. */
const TICK_MS = 60_000;
/** From this hour (UTC) on, the night's comparison is due. One that was missed is made up for when someone is there. */
const NIGHT_HOUR_UTC = 2;

export type ReconcilerOptions = {
  readonly pool: pg.Pool;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => Date;
};

/** Compares once a night, in one of the replicas, and keeps every replica's gauges. @returns its stop */
export function startReconciler(options: ReconcilerOptions): () => Promise<void> {
  const { log } = options;
  return every(
    TICK_MS,
    () => tick(options),
    (err) => log.warn({ err }, 'the reconciler failed; it tries again in a minute'),
  );
}

/** One look: compares if that is due, then reads the gauges. */
export async function tick({ pool, metrics, log, now }: ReconcilerOptions): Promise<void> {
  const night = dueNight(now());
  if (night !== undefined && !(await isDone(pool, night))) {
    const done = await reconcile(pool, { cause: 'night', night }, now);
    if (done?.ok === false)
      log.error({ id: done.id, faults: done.faults }, 'the ledger does not agree with its replay');
    else if (done !== undefined) log.info({ id: done.id, figures: done.figures }, 'the ledger agrees with its replay');
    if (done !== undefined) await pruneEvents(pool, now());
  }
  await readGauges(pool, metrics, now());
}

/** The night whose comparison is due; undefined before its hour. */
export function dueNight(now: Date): string | undefined {
  return now.getUTCHours() >= NIGHT_HOUR_UTC ? now.toISOString().slice(0, 10) : undefined;
}

async function isDone(pool: pg.Pool, night: string): Promise<boolean> {
  const { rowCount } = await pool.query('select from reconciliation where night = $1', [night]);
  return rowCount !== 0;
}

async function readGauges(pool: pg.Pool, metrics: Metrics, now: Date): Promise<void> {
  const { rows } = await pool.query<{
    live: number;
    oldest: number;
    due: number;
    waiting: number;
    mails: number;
    mail: number;
  }>(`
    select (select count(*)::int from hold where state = 'held' and terms is not null) as live,
      (select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float from hold
       where state = 'held' and terms is not null) as oldest,
      (select count(*)::int from delivery where state = 'pending') as due,
      (select coalesce(extract(epoch from clock_timestamp() - min(a.at)), 0)::float
       from delivery d join alert a on a.id = d.alert_id where d.state = 'pending') as waiting,
      (select count(*)::int from mail where state = 'pending') as mails,
      (select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float
       from mail where state = 'pending') as mail`);
  const [row] = rows;
  if (row === undefined) return;
  metrics.liveHolds.set(row.live);
  metrics.oldestHoldSeconds.set(Math.max(0, row.oldest));
  metrics.pendingDeliveries.set(row.due);
  metrics.oldestDeliverySeconds.set(Math.max(0, row.waiting));
  metrics.pendingMails.set(row.mails);
  metrics.oldestMailSeconds.set(Math.max(0, row.mail));
  const outboxes = await pool.query<{ undelivered: number; oldest: number; dead: number }>(
    `select coalesce(sum(undelivered), 0)::int as undelivered, coalesce(max(oldest_seconds), 0) as oldest,
       coalesce(max(dead_letters), 0) as dead
     from gateway_report where at > $1::timestamptz - interval '5 minutes'`,
    [now],
  );
  metrics.outboxUndelivered.set(outboxes.rows[0]?.undelivered ?? 0);
  metrics.outboxOldestSeconds.set(outboxes.rows[0]?.oldest ?? 0);
  metrics.outboxDeadLetters.set(outboxes.rows[0]?.dead ?? 0);
  const latest = await pool.query('select * from reconciliation order by started_at desc, id desc limit 1');
  if (latest.rows[0] === undefined) return;
  const { finishedAt, figures } = ReconciliationRow.parse(latest.rows[0]);
  metrics.reconciledAt.set(finishedAt.getTime() / 1000);
  metrics.reconciliationFaults.set(figures.faults);
  if (figures.captureRate !== null) metrics.captureRate.set(figures.captureRate);
}
