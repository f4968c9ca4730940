import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds: the hot path takes one millisecond, an administrator's list may take a hundred. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1, 2.5, 5];

/** Everything /metrics shows. No label ever holds a tenant, a user or a path from outside. */
export type Metrics = {
  readonly registry: Registry;
  readonly requestSeconds: Histogram<'route' | 'status'>;
  readonly authorisations: Counter<'outcome'>;
  readonly settlements: Counter<'outcome'>;
  readonly voids: Counter<'reason'>;
  readonly auditFailures: Counter;
  readonly leases: Counter<'outcome'>;
  readonly overrunNanoEur: Counter;
  readonly overruns: Counter<'reason'>;
  readonly usageSumMismatches: Counter;
  readonly unknownModelServed: Counter;
  readonly expiredHolds: Counter;
  readonly liveHolds: Gauge;
  readonly oldestHoldSeconds: Gauge;
  readonly captureRate: Gauge;
  readonly reconciledAt: Gauge;
  readonly reconciliationFaults: Gauge;
  readonly outboxUndelivered: Gauge;
  readonly outboxOldestSeconds: Gauge;
  readonly outboxDeadLetters: Gauge;
  readonly deliveries: Counter<'channel' | 'outcome'>;
  readonly chatLogouts: Counter<'outcome'>;
  readonly mails: Counter<'outcome'>;
  readonly pendingMails: Gauge;
  readonly oldestMailSeconds: Gauge;
  readonly pendingDeliveries: Gauge;
  readonly oldestDeliverySeconds: Gauge;
};

export function createMetrics(pool: { totalCount: number; idleCount: number; waitingCount: number }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'cloudfreedom_database_connections',
    help: 'Connections of the pool by state',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'awaited' }, pool.waitingCount);
    },
  });
  const captureRate = new Gauge({
    name: 'cloudfreedom_capture_rate',
    help: 'Of the requests that ended in the day before the last reconciliation, the share whose end was reported',
    registers,
  });
  const reconciledAt = new Gauge({
    name: 'cloudfreedom_reconciled_timestamp_seconds',
    help: 'When the last reconciliation ended',
    registers,
  });
  // They begin as zero, which would be an alarm: until something is known they are not shown.
  captureRate.remove();
  reconciledAt.remove();
  return {
    registry,
    captureRate,
    reconciledAt,
    requestSeconds: new Histogram({
      name: 'cloudfreedom_http_request_seconds',
      help: 'Time to answer a request',
      labelNames: ['route', 'status'],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    authorisations: new Counter({
      name: 'cloudfreedom_authorisations_total',
      help: 'Budget decisions by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    settlements: new Counter({
      name: 'cloudfreedom_settlements_total',
      help: 'Settlements by outcome; late ones came after their hold had ended',
      labelNames: ['outcome'],
      registers,
    }),
    leases: new Counter({
      name: 'cloudfreedom_leases_total',
      help: 'Leases that gateways asked for, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    auditFailures: new Counter({
      name: 'cloudfreedom_audit_failures_total',
      help: 'Changes that were made and could not be audited; the log has them',
      registers,
    }),
    voids: new Counter({
      name: 'cloudfreedom_voids_total',
      help: 'Holds given back unused, by reason',
      labelNames: ['reason'],
      registers,
    }),
    overrunNanoEur: new Counter({
      name: 'cloudfreedom_overrun_nano_eur_total',
      help: 'Nano-EUR billed beyond holds. Above zero means an upper bound was wrong or a settlement late: look at it',
      registers,
    }),
    usageSumMismatches: new Counter({
      name: 'cloudfreedom_usage_sum_mismatches_total',
      help: 'Settlements whose token buckets do not add up to what the provider counted',
      registers,
    }),
    overruns: new Counter({
      name: 'cloudfreedom_overruns_total',
      help: 'Settlements that did not fit: above_hold means a wrong upper bound, late that the hold had ended',
      labelNames: ['reason'],
      registers,
    }),
    unknownModelServed: new Counter({
      name: 'cloudfreedom_unknown_model_served_total',
      help: 'Settlements that name a model the request could not reach; billed as the model asked for',
      registers,
    }),
    expiredHolds: new Counter({
      name: 'cloudfreedom_expired_holds_total',
      help: 'Holds that got neither settlement nor void in time',
      registers,
    }),
    liveHolds: new Gauge({
      name: 'cloudfreedom_live_holds',
      help: 'Holds that have not ended',
      registers,
    }),
    oldestHoldSeconds: new Gauge({
      name: 'cloudfreedom_oldest_hold_seconds',
      help: 'Age of the oldest hold that has not ended; beyond the holds’ time to live, nothing ends them',
      registers,
    }),
    reconciliationFaults: new Gauge({
      name: 'cloudfreedom_reconciliation_faults',
      help: 'What the last reconciliation found that does not add up. Above zero: look at GET /v1/reconciliations',
      registers,
    }),
    outboxUndelivered: new Gauge({
      name: 'cloudfreedom_outbox_undelivered',
      help: 'Results that gateways have and we have not, by their reports of the last five minutes',
      registers,
    }),
    outboxOldestSeconds: new Gauge({
      name: 'cloudfreedom_outbox_oldest_seconds',
      help: 'Age of the oldest of them',
      registers,
    }),
    outboxDeadLetters: new Gauge({
      name: 'cloudfreedom_outbox_dead_letters',
      help: 'Most results that the gateways of one tenant could not deliver because they were refused for good',
      registers,
    }),
    chatLogouts: new Counter({
      name: 'cloudfreedom_chat_logouts_total',
      help: 'Attempts to tell a chat that somebody has signed out, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    deliveries: new Counter({
      name: 'cloudfreedom_deliveries_total',
      help: 'Attempts to deliver alerts; failed ones were given up',
      labelNames: ['channel', 'outcome'],
      registers,
    }),
    mails: new Counter({
      name: 'cloudfreedom_mails_total',
      help: 'Attempts to send mails to people; dropped ones had nobody to go to, failed ones were given up',
      labelNames: ['outcome'],
      registers,
    }),
    pendingMails: new Gauge({
      name: 'cloudfreedom_pending_mails',
      help: 'Mails to people that have neither left nor been given up',
      registers,
    }),
    oldestMailSeconds: new Gauge({
      name: 'cloudfreedom_oldest_mail_seconds',
      help: 'Age of the oldest of them',
      registers,
    }),
    pendingDeliveries: new Gauge({
      name: 'cloudfreedom_pending_deliveries',
      help: 'Deliveries of alerts that have neither arrived nor been given up',
      registers,
    }),
    oldestDeliverySeconds: new Gauge({
      name: 'cloudfreedom_oldest_delivery_seconds',
      help: 'Age of the oldest of them',
      registers,
    }),
  };
}
