import type pg from 'pg';
import { z } from 'zod';
import { ENTRY_COLUMNS, StoredEntry, StoredPersonal } from './stored-entry.ts';

/** Entries that are read at once. */
const PAGE_SIZE = 1_000;

/** An entry with the personal values that belong to it. */
export type EntryWithPersonal = { readonly entry: StoredEntry; readonly personal: readonly StoredPersonal[] };

/** Which entries a reader wants; what is left out restricts nothing. */
export type AuditFilter = {
  readonly action?: string | undefined;
  readonly actorId?: string | undefined;
  readonly targetId?: string | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
};

const CONDITION = `chain_id = $1 and ($2::text is null or action = $2) and ($3::text is null or actor_id = $3)
  and ($4::text is null or target_id = $4) and ($5::timestamptz is null or at >= $5)
  and ($6::timestamptz is null or at < $6)`;

/** Entries before the one of number `before`, newest first. */
export async function newestEntries(
  client: pg.Pool | pg.PoolClient,
  chain: bigint,
  filter: AuditFilter,
  before: bigint,
  limit: number,
): Promise<EntryWithPersonal[]> {
  const { rows } = await client.query(
    `select ${ENTRY_COLUMNS} from audit_entry where ${CONDITION} and sequence < $7 order by sequence desc limit $8`,
    [...conditionValues(chain, filter), before, limit],
  );
  return withPersonal(client, chain, z.array(StoredEntry).parse(rows));
}

/** All entries in their order, read page by page. */
export async function* entriesInOrder(
  client: pg.Pool | pg.PoolClient,
  chain: bigint,
  filter: AuditFilter = {},
): AsyncGenerator<EntryWithPersonal> {
  for (let after = 0n; ; ) {
    const { rows } = await client.query(
      `select ${ENTRY_COLUMNS} from audit_entry where ${CONDITION} and sequence > $7 order by sequence limit $8`,
      [...conditionValues(chain, filter), after, PAGE_SIZE],
    );
    const entries = z.array(StoredEntry).parse(rows);
    yield* await withPersonal(client, chain, entries);
    const last = entries.at(-1);
    if (last === undefined || entries.length < PAGE_SIZE) return;
    after = last.sequence;
  }
}

function conditionValues(chain: bigint, filter: AuditFilter): unknown[] {
  const { action, actorId, targetId, from, to } = filter;
  return [chain, action ?? null, actorId ?? null, targetId ?? null, from ?? null, to ?? null];
}

async function withPersonal(
  client: pg.Pool | pg.PoolClient,
  chain: bigint,
  entries: readonly StoredEntry[],
): Promise<EntryWithPersonal[]> {
  const { rows } = await client.query(
    'select sequence, place, value, salt from audit_personal where chain_id = $1 and sequence = any($2) order by place',
    [chain, entries.map(({ sequence }) => sequence)],
  );
  const personal = Map.groupBy(z.array(StoredPersonal).parse(rows), ({ sequence }) => sequence);
  return entries.map((entry) => ({ entry, personal: personal.get(entry.sequence) ?? [] }));
}
