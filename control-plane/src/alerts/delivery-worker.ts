import type pg from 'pg';
import type { Logger } from 'pino';
import type { Bell } from '../events/bell.ts';
import type { Metrics } from '../http/metrics.ts';
import { type Delivery, DeliveryQueue } from './delivery-queue.ts';

/** Deliveries one process has under way. Of one tenant and channel only one: a slow receiver delays nobody else. */
const SLOTS = 4;
/** Milliseconds after which a slot looks for work though nothing rang: repetitions become due silently. */
const POLL_MS = 5_000;

/** Brings one delivery to its receiver. Its errors are kept and shown to the tenant: no secret may be in them. */
export type Deliver = (delivery: Delivery, signal: AbortSignal) => Promise<void>;

export type DeliveryWorkerOptions = {
  readonly pool: pg.Pool;
  readonly bell: Bell;
  readonly deliver: Deliver;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly backoffMs?: number;
};

/** Works off what is due, in as many processes as there are. @returns its stop, which waits for what is under way */
export function startDeliveryWorker(options: DeliveryWorkerOptions): () => Promise<void> {
  const { bell, deliver, log, metrics } = options;
  const queue = new DeliveryQueue(options.pool, options.backoffMs);
  const stopping = new AbortController();
  const slot = async () => {
    const ear = bell.ear('cloudfreedom_delivery', '');
    while (!stopping.signal.aborted) {
      let worked = false;
      try {
        worked = await deliverNext(queue, deliver, metrics, stopping.signal);
      } catch (err) {
        log.warn({ err }, 'deliveries cannot be read or stored; they stay due');
      }
      if (!worked) await ear.wait(POLL_MS, stopping.signal);
    }
    ear.close();
  };
  const slots = Array.from({ length: SLOTS }, slot);
  return async () => {
    stopping.abort();
    await Promise.all(slots);
  };
}

/** Takes one delivery that is due and tries it. @returns whether there was one */
export async function deliverNext(
  queue: DeliveryQueue,
  deliver: Deliver,
  metrics: Metrics,
  signal: AbortSignal,
): Promise<boolean> {
  const delivery = await queue.take();
  if (delivery === undefined) return false;
  const { channel } = delivery;
  try {
    await deliver(delivery, signal);
  } catch (error) {
    const state = await queue.failed(delivery, error);
    metrics.deliveries.inc({ channel, outcome: state === 'failed' ? 'failed' : 'retry' });
    return true;
  }
  await queue.delivered(delivery);
  metrics.deliveries.inc({ channel, outcome: 'delivered' });
  return true;
}
