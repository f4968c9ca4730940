import type pg from 'pg';
import type { Logger } from 'pino';
import type { Catalogue } from './catalogue/catalogue.ts';
import type { Metrics } from './http/metrics.ts';
import type { Ledger } from './ledger/ledger.ts';

/** Everything an operation works with. Made once at start and handed down; nothing here is global. */
export type Services = {
  readonly pool: pg.Pool;
  readonly catalogue: Catalogue;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Where a tenant tops up; goes into refusals. */
  readonly topUpUrl: string;
  /** How long a hold lives when neither settlement nor void arrives. */
  readonly holdTtlMs: number;
  /** The process is shutting down: not ready any more, but still answering. */
  readonly draining: () => boolean;
};
