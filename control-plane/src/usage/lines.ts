import type pg from 'pg';

/** Lines read at once; a stream holds no more than that in memory, and no connection while its reader is slow. */
const PAGE_SIZE = 500;

/** The lines of an account that were posted in a span, oldest first. */
export async function* linesBetween(
  pool: pg.Pool,
  account: bigint,
  starts: Date,
  ends: Date,
): AsyncGenerator<Record<string, unknown>> {
  let after = (await firstSequenceFrom(pool, account, starts)) - 1n;
  for (;;) {
    const { rows } = await pool.query<{ sequence: bigint }>({
      name: 'usage_lines_between',
      text: `select u.*, m.external_id, m.email, m.name from usage_line u left join member m on m.id = u.member_id
             where u.account_id = $1 and u.sequence > $2 and u.at < $3 order by u.sequence limit $4`,
      values: [account, after, ends, PAGE_SIZE],
    });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_SIZE) return;
    after = last.sequence;
  }
}

/**
 * The place of the first line that is not older than `instant`. Lines get place and time under one lock, so their times
 * grow with their places: halving finds it without an index on time, which every settlement would have to pay for.
 */
async function firstSequenceFrom(pool: pg.Pool, account: bigint, instant: Date): Promise<bigint> {
  const { rows } = await pool.query<{ last: bigint | null }>(
    'select max(sequence) as last from usage_line where account_id = $1',
    [account],
  );
  let older = 0n;
  let found = (rows[0]?.last ?? 0n) + 1n;
  while (found - older > 1n) {
    const middle = (older + found) / 2n;
    const { rows: next } = await pool.query<{ sequence: bigint; old: boolean }>({
      name: 'usage_line_at',
      text: `select sequence, at < $3 as old from usage_line where account_id = $1 and sequence >= $2
             order by sequence limit 1`,
      values: [account, middle, instant],
    });
    if (next[0]?.old === true) older = next[0].sequence;
    else found = middle;
  }
  return found;
}
