import type pg from 'pg';
import type { Logger } from 'pino';
import { inTransaction } from '../../database/pool.ts';
import type { TenantResources } from '../../kubernetes/tenant-resources.ts';
import { type Progress, progressOf } from './progress.ts';

/** Milliseconds until a status that could not be written is tried again. */
const RETRY_MS = 2_000;

/**
 * Appends `tenant.status_changed` to the stream of each tenant whose conditions change. Every replica watches; the row of
 * `tenant_status` is where one of them wins, and where an older state loses.
 * @returns how to stop
 */
export function startTellingStatus(pool: pg.Pool, resources: TenantResources, log: Logger): () => Promise<void> {
  /** The newest state of each tenant that is still to be told. One at a time: order is what readers rely on. */
  const waiting = new Map<string, { readonly version: string; readonly progress: Progress }>();
  let working: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const work = async () => {
    for (const [name, { version, progress }] of waiting) {
      if (stopped) return;
      waiting.delete(name);
      try {
        await tellStatus(pool, name, version, progress);
      } catch (err) {
        log.warn({ err, tenant: name }, 'a change of status could not be told, trying again');
        if (!waiting.has(name)) waiting.set(name, { version, progress });
        timer ??= setTimeout(begin, RETRY_MS);
        return;
      }
    }
  };
  const begin = () => {
    timer = undefined;
    working ??= work().finally(() => {
      working = undefined;
      // What came after the loop had passed its place.
      if (waiting.size > 0 && timer === undefined && !stopped) begin();
    });
  };
  const unsubscribe = resources.subscribe(({ type, object }) => {
    if (type === 'deleted') return;
    waiting.set(object.metadata.name, {
      version: object.metadata.resourceVersion ?? '0',
      progress: progressOf(object),
    });
    if (timer === undefined) begin();
  });
  return async () => {
    stopped = true;
    unsubscribe();
    clearTimeout(timer);
    await working;
  };
}

/** Tells of a status unless it is known, or older than what was told. @returns whether it was told */
export async function tellStatus(
  pool: pg.Pool,
  name: string,
  resourceVersion: string,
  progress: Progress,
): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ tenant_id: bigint }>(
      `insert into tenant_status as s (tenant_id, resource_version, conditions)
       select id, $2::numeric, $3::jsonb from tenant where name = $1 and state <> 'erased'
       on conflict (tenant_id) do update
         set resource_version = excluded.resource_version, conditions = excluded.conditions, changed_at = now()
         where s.resource_version < excluded.resource_version and s.conditions is distinct from excluded.conditions
       returning tenant_id`,
      [name, resourceVersion, JSON.stringify(progress.conditions)],
    );
    if (rows[0] === undefined) return false;
    const { ready, deleting, url, conditions } = progress;
    await client.query(`select event_append($1, 'tenant.status_changed', $2)`, [
      rows[0].tenant_id,
      { ready, deleting, url, conditions },
    ]);
    return true;
  });
}
