import type pg from 'pg';
import type { Logger } from 'pino';
import { inTransaction } from '../database/pool.ts';
import { every } from '../every.ts';
import { contentAddress, type FileDriver } from './file-driver.ts';

/** Milliseconds between two sweeps. */
const SWEEP_MS = 300_000;
/** Minutes that bytes without a file are left alone: somebody may be storing them at this moment. */
const GRACE_MINUTES = 60;
/** Contents that one sweep removes at most; the next goes on. */
const MAX_SWEPT = 500;

/**
 * Removes what no file refers to any more: files that have expired or whose tenant was erased (invoices stay), then
 * bytes without a file. The row goes after its bytes, so what a crash or an outage of the storage leaves is tried again.
 * @returns how many contents were removed
 */
export async function sweepFiles(pool: pg.Pool, driver: FileDriver, graceMinutes = GRACE_MINUTES): Promise<number> {
  await pool.query(
    `delete from file f using tenant t where t.id = f.tenant_id
     and (f.expires_at <= now() or (t.state = 'erased' and f.kind <> 'invoice'))`,
  );
  let swept = 0;
  while (swept < MAX_SWEPT && (await sweepOne(pool, driver, graceMinutes))) swept += 1;
  return swept;
}

/** Its row is locked while the bytes go: whoever stores the same content waits, and then stores it anew. */
function sweepOne(pool: pg.Pool, driver: FileDriver, graceMinutes: number): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ tenant_id: bigint; sha256: Buffer }>(
      `select tenant_id, sha256 from file_content c
       where touched_at <= now() - make_interval(mins => $1)
         and not exists (select from file f where f.tenant_id = c.tenant_id and f.sha256 = c.sha256)
       order by touched_at limit 1 for update skip locked`,
      [graceMinutes],
    );
    const content = rows[0];
    if (content === undefined) return false;
    await driver.remove(contentAddress(content.tenant_id, content.sha256));
    await client.query('delete from file_content where tenant_id = $1 and sha256 = $2', [
      content.tenant_id,
      content.sha256,
    ]);
    return true;
  });
}

export function startFileSweeper(pool: pg.Pool, driver: FileDriver, log: Logger): () => Promise<void> {
  const sweep = async () => {
    const swept = await sweepFiles(pool, driver);
    if (swept > 0) log.info({ swept }, 'contents of files that nobody has any more were removed');
  };
  return every(SWEEP_MS, sweep, (err) => log.warn({ err }, 'files could not be swept; tried again'));
}
