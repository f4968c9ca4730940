import type pg from 'pg';
import { z } from 'zod';
import { type AuditFault, ChainCheck, type ChainEnds } from './check-chain.ts';
import { entriesInOrder } from './read.ts';

/** A long chain takes longer than any statement of a request may. */
const VERIFY_TIMEOUT = '10min';

/** What was found of a chain. */
export type Verification = {
  readonly chain: bigint;
  /** Entries that were read. */
  readonly entries: number;
  /** The last number that retention took away; 0: none. */
  readonly prunedThrough: bigint;
  readonly head: { readonly sequence: bigint; readonly hash: Buffer } | undefined;
  /** Personal values of people who were forgotten: their entries hold all the same. */
  readonly erasedValues: number;
  readonly faults: readonly AuditFault[];
};

const Ends = z.object({
  head_sequence: z.bigint().nullable(),
  head_hash: z.instanceof(Buffer).nullable(),
  anchor_sequence: z.bigint().nullable(),
  anchor_hash: z.instanceof(Buffer).nullable(),
});

/** Proves a chain, or says what is wrong with it: its head, its anchor and every entry as of one instant. */
export async function verifyChain(pool: pg.Pool, chain: bigint): Promise<Verification> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin isolation level repeatable read read only');
    await client.query(`set local statement_timeout = '${VERIFY_TIMEOUT}'`);
    const ends = await endsOf(client, chain);
    const check = new ChainCheck(ends);
    for await (const { entry, personal } of entriesInOrder(client, chain)) check.next(entry, personal);
    check.end();
    const { entries, erasedValues, faults } = check;
    return { chain, entries, prunedThrough: ends.anchor?.sequence ?? 0n, head: ends.head, erasedValues, faults };
  } finally {
    await client.query('rollback').catch((error: Error) => {
      broken = error;
    });
    client.release(broken);
  }
}

/** Every chain there is, by head, entry or anchor: a head that was taken away hides nothing. */
export async function allChains(pool: pg.Pool): Promise<bigint[]> {
  const { rows } = await pool.query<{ id: bigint }>(
    `select id from audit_chain union select chain_id from audit_anchor
     union select distinct chain_id from audit_entry order by 1`,
  );
  return rows.map(({ id }) => id);
}

async function endsOf(client: pg.PoolClient, chain: bigint): Promise<ChainEnds> {
  const { rows } = await client.query(
    `select c.sequence as head_sequence, c.hash as head_hash, a.sequence as anchor_sequence, a.hash as anchor_hash
     from (select) as one left join audit_chain c on c.id = $1
     left join lateral (select sequence, hash from audit_anchor where chain_id = $1 order by sequence desc limit 1) a
       on true`,
    [chain],
  );
  const { head_sequence, head_hash, anchor_sequence, anchor_hash } = Ends.parse(rows[0]);
  const end = (sequence: bigint | null, hash: Buffer | null) =>
    sequence === null || hash === null ? undefined : { sequence, hash };
  return { chain, head: end(head_sequence, head_hash), anchor: end(anchor_sequence, anchor_hash) };
}
