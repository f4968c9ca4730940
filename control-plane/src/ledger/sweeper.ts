import type { Logger } from 'pino';
import { every } from '../every.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Ledger } from './ledger.ts';

/** Milliseconds between two sweeps. Nobody waits for one: a request short of budget expires what is overdue itself. */
const SWEEP_INTERVAL_MS = 5_000;
/** Overdue holds looked at per sweep. */
const SWEEP_LIMIT = 500;

/** Ends overdue holds of accounts that nobody calls on. @returns its stop, which waits for a sweep under way */
export function startSweeper(ledger: Ledger, metrics: Metrics, log: Logger): () => Promise<void> {
  const sweep = async () => {
    const ended = await ledger.sweep(SWEEP_LIMIT);
    if (ended === 0) return;
    metrics.expiredHolds.inc(ended);
    log.warn({ ended }, 'holds expired without settlement or void');
  };
  return every(SWEEP_INTERVAL_MS, sweep, (err) => log.warn({ err }, 'a sweep failed; the next one will do its work'));
}
