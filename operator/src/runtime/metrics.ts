import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Seconds; a reconcile with nothing to do takes well under a millisecond, one that rolls out images several seconds. */
const RECONCILE_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60];
/** Seconds an API request may take before its deadline ends it. */
const REQUEST_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/** Everything the runtime counts. One value per process, made once and handed to every part. */
export interface RuntimeMetrics {
  queueDepth: Gauge<'controller' | 'lane'>;
  queueRefused: Counter<'controller'>;
  reconcileSeconds: Histogram<'controller' | 'outcome'>;
  reconcileErrors: Counter<'controller'>;
  mapperErrors: Counter<'controller'>;
  watchRestarts: Counter<'kind' | 'reason'>;
  missedDeletes: Counter<'kind'>;
  storedObjects: Gauge<'kind'>;
  requestSeconds: Histogram<'verb' | 'kind' | 'status'>;
  applies: Counter<'kind' | 'outcome'>;
  events: Counter<'outcome'>;
  leading: Gauge;
}

/** Declares the runtime's metrics in `registry`, each under `<prefix>_`. */
export function createRuntimeMetrics(registry: Registry, prefix = 'operator'): RuntimeMetrics {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `${prefix}_${name}`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name: `${prefix}_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[], buckets: number[]) =>
    new Histogram({ name: `${prefix}_${name}`, help, labelNames, buckets, registers });
  return {
    queueDepth: gauge('queue_depth', 'Keys waiting to be reconciled', ['controller', 'lane']),
    queueRefused: counter('queue_refused_total', 'Keys refused by a full queue; a resync follows', ['controller']),
    reconcileSeconds: histogram(
      'reconcile_duration_seconds',
      'How long one reconcile took',
      ['controller', 'outcome'],
      RECONCILE_BUCKETS_SECONDS,
    ),
    reconcileErrors: counter('reconcile_errors_total', 'Reconciles that threw; each is retried', ['controller']),
    mapperErrors: counter('mapper_errors_total', 'Changes whose keys could not be told; a resync follows', [
      'controller',
    ]),
    watchRestarts: counter('watch_restarts_total', 'Watches begun anew, by why the one before ended', [
      'kind',
      'reason',
    ]),
    missedDeletes: counter('missed_deletes_total', 'Deletions no watch told of, found by listing again', ['kind']),
    storedObjects: gauge('stored_objects', 'Objects held in memory', ['kind']),
    requestSeconds: histogram(
      'api_request_duration_seconds',
      'How long the API server took to answer',
      ['verb', 'kind', 'status'],
      REQUEST_BUCKETS_SECONDS,
    ),
    applies: counter('applies_total', 'Wished objects looked at: unchanged, created, updated, or a needless no-op', [
      'kind',
      'outcome',
    ]),
    events: counter('events_total', 'Events recorded, dropped by the rate limit, or failed', ['outcome']),
    leading: gauge('leading', '1 while this process holds the lease', []),
  };
}
