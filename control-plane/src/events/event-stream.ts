import type pg from 'pg';
import { z } from 'zod';
import type { Bell } from './bell.ts';

/** Events read at once. A reader who is far behind gets page after page, as fast as it takes them. */
const PAGE_SIZE = 200;
/** Milliseconds of silence after which a comment shows that the connection lives. */
export const HEARTBEAT_MS = 15_000;
/** Milliseconds a browser waits until it connects anew. */
const CLIENT_RETRY_MS = 2_000;

const Row = z.object({ id: z.bigint(), at: z.date(), type: z.string(), data: z.record(z.string(), z.unknown()) });

export type EventStreamOptions = {
  readonly pool: pg.Pool;
  readonly bell: Bell;
  readonly tenant: bigint;
  /** The number of the last event the reader has. */
  readonly after: bigint;
  /** Only events whose type is like one of these; undefined: all. */
  readonly patterns?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number;
};

/** A tenant's events as server-sent events, from the one after `after`, until `signal` is aborted. */
export async function* eventStream(options: EventStreamOptions): AsyncGenerator<string> {
  const { pool, bell, tenant, patterns, signal } = options;
  const ear = bell.ear('cloudfreedom_event', tenant.toString());
  try {
    yield `retry: ${CLIENT_RETRY_MS}\n\n`;
    for (let last = options.after; !signal.aborted; ) {
      // With a filter most events may be others': what was looked at once is not looked at again.
      const newest = patterns === undefined ? undefined : await newestEvent(pool, tenant);
      const { rows } = await pool.query({
        name: 'events_after',
        text: `select id, at, type, data from event
          where tenant_id = $1 and id > $2 and ($3::bigint is null or id <= $3) and ($4::text[] is null or type like any($4))
          order by id limit $5`,
        values: [tenant, last, newest ?? null, patterns ?? null, PAGE_SIZE],
      });
      for (const row of rows) {
        const { id, at, type, data } = Row.parse(row);
        yield `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ at: at.toISOString(), ...data })}\n\n`;
        last = id;
      }
      if (rows.length === PAGE_SIZE) continue;
      if (newest !== undefined && newest > last) last = newest;
      const rang = await ear.wait(options.heartbeatMs ?? HEARTBEAT_MS, signal);
      if (!rang && !signal.aborted) yield ': still here\n\n';
    }
  } finally {
    ear.close();
  }
}

/** The number of the tenant's newest event; 0 when it has none. */
export async function newestEvent(pool: pg.Pool, tenant: bigint): Promise<bigint> {
  const { rows } = await pool.query<{ last: bigint }>('select last from event_counter where tenant_id = $1', [tenant]);
  return rows[0]?.last ?? 0n;
}
