import type pg from 'pg';
import type { Logger } from 'pino';
import { inTransaction } from '../database/pool.ts';
import { every } from '../every.ts';
import { appendAudit, PLATFORM_CHAIN } from './append.ts';
import { systemActor } from './entry.ts';

/** Days the platform's own chain is kept, and a tenant's that says nothing else. */
export const DEFAULT_RETENTION_DAYS = 365;
/** No setting goes below; the database itself refuses it too. */
export const MIN_RETENTION_DAYS = 30;
/** Milliseconds between two looks. */
const INTERVAL_MS = 3_600_000;
/** Entries taken away by one transaction: its locks are short, whatever has piled up. */
const BATCH = 5_000;

/** Takes away what is older than each chain is kept, in as many processes as there are. @returns its stop */
export function startAuditRetention(pool: pg.Pool, log: Logger): () => Promise<void> {
  return every(
    INTERVAL_MS,
    async () => {
      await pruneAudit(pool);
    },
    (err) => log.warn({ err }, 'the audit was not pruned; the next look does it'),
  );
}

/** Prunes every chain that has something to prune. @returns how many entries went */
export async function pruneAudit(pool: pg.Pool): Promise<bigint> {
  const { rows } = await pool.query<{ id: bigint; days: number }>(
    `select c.id, greatest($2, coalesce((t.registration ->> 'auditRetentionDays')::integer, $1)) as days
     from audit_chain c left join tenant t on t.id = c.id order by c.id`,
    [DEFAULT_RETENTION_DAYS, MIN_RETENTION_DAYS],
  );
  let pruned = 0n;
  for (const { id, days } of rows) pruned += await pruneChain(pool, id, days);
  return pruned;
}

async function pruneChain(pool: pg.Pool, chain: bigint, days: number): Promise<bigint> {
  for (let pruned = 0n; ; ) {
    const count = await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ count: bigint }>('select audit_prune($1, $2, $3) as count', [
        chain,
        days,
        BATCH,
      ]);
      const gone = rows[0]?.count ?? 0n;
      if (gone > 0n) {
        await appendAudit(client, {
          tenant: chain === PLATFORM_CHAIN ? null : chain,
          actor: systemActor('audit-retention'),
          action: 'audit.pruned',
          after: { entries: gone, olderThanDays: days },
        });
      }
      return gone;
    });
    pruned += count;
    if (count < BigInt(BATCH)) return pruned;
  }
}
