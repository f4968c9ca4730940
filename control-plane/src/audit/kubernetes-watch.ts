import type pg from 'pg';
import type { Logger } from 'pino';
import type { TenantResources } from '../kubernetes/tenant-resources.ts';
import { auditKubernetesChange, auditKubernetesDeletion, type WatchedObject } from './kubernetes-change.ts';

/** Milliseconds until what could not be audited is tried again. */
const RETRY_MS = 5_000;

/**
 * Audits what others change of Tenants, as the watch tells of it. The watch itself knows no field managers, so each new
 * generation is fetched once more. Changes that follow each other closely are one entry.
 * @returns how to stop
 */
export function startKubernetesAudit(pool: pg.Pool, resources: TenantResources, log: Logger): () => Promise<void> {
  const waiting = new Map<string, { readonly deleted: boolean; readonly object: WatchedObject }>();
  const heard = new Map<string, number>();
  let working: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const audit = async ({ deleted, object }: { deleted: boolean; object: WatchedObject }) => {
    if (deleted) return auditKubernetesDeletion(pool, object);
    const stored = await resources.get(object.metadata.name);
    return stored !== undefined && auditKubernetesChange(pool, stored);
  };
  const work = async () => {
    for (const [uid, change] of waiting) {
      if (stopped) return;
      waiting.delete(uid);
      try {
        await audit(change);
      } catch (err) {
        log.warn({ err, tenant: change.object.metadata.name }, 'a change by others was not audited, trying again');
        if (!waiting.has(uid)) waiting.set(uid, change);
        timer ??= setTimeout(begin, RETRY_MS);
        return;
      }
    }
  };
  const begin = () => {
    timer = undefined;
    working ??= work().finally(() => {
      working = undefined;
      if (waiting.size > 0 && timer === undefined && !stopped) begin();
    });
  };
  const unsubscribe = resources.subscribe(({ type, object }) => {
    const { uid = object.metadata.name, generation = 0 } = object.metadata;
    const deleted = type === 'deleted';
    // A status that changes is no change of the wish.
    if (!deleted && heard.get(uid) === generation) return;
    if (deleted) heard.delete(uid);
    else heard.set(uid, generation);
    waiting.set(uid, { deleted, object });
    if (timer === undefined) begin();
  });
  return async () => {
    stopped = true;
    unsubscribe();
    clearTimeout(timer);
    await working;
  };
}
