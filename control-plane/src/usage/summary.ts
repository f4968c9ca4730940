import type pg from 'pg';
import { z } from 'zod';
import type { DateRange } from './date-range.ts';

/** What usage can be summed by, and its column. */
const DIMENSIONS = {
  day: `to_char(day, 'YYYY-MM-DD')`,
  model: 'model',
  modelServed: 'model_served',
  user: `coalesce(member_id::text, '')`,
  key: `coalesce(key_id::text, '')`,
} as const;
export type Dimension = keyof typeof DIMENSIONS;
export const DIMENSION_NAMES = Object.keys(DIMENSIONS) as [Dimension, ...Dimension[]];

const SUMS = [
  'requests',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'audio_input_tokens',
  'output_tokens',
  'audio_output_tokens',
  'images',
  'cost',
  'margin',
  'total',
  'overrun',
] as const;

const Sums = z.object(
  Object.fromEntries(SUMS.map((name) => [name, z.bigint()])) as Record<(typeof SUMS)[number], z.ZodBigInt>,
);
export type Sums = z.output<typeof Sums>;

/** One group: its key, a text per dimension ('' for no user or key), and its sums. */
export type Group = { readonly key: readonly string[]; readonly sums: Sums };

/** Sums of the rollups of an account, by `dimensions`, in the order of their keys, from the one after `after`. */
export async function summarise(
  pool: pg.Pool,
  account: bigint,
  range: DateRange,
  dimensions: readonly Dimension[],
  after: readonly string[] | undefined,
  limit: number,
): Promise<Group[]> {
  const keys = dimensions.map((name) => `(${DIMENSIONS[name]}) collate "C"`);
  const sums = SUMS.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`);
  const places = keys.map((_, index) => `$${index + 5}`);
  const { rows } = await pool.query(
    `select array[${keys.join(', ')}]::text[] as key, ${sums.join(', ')} from usage_until_now($1)
     where day between $2 and $3
     ${keys.length === 0 ? '' : `group by ${keys.join(', ')}`}
     ${after === undefined ? '' : `having (${keys.join(', ')}) > (${places.join(', ')})`}
     ${keys.length === 0 ? '' : `order by ${keys.join(', ')}`} limit $4`,
    [account, range.from, range.to, limit, ...(after ?? [])],
  );
  return rows.map((row) => ({ key: z.array(z.string()).parse(row.key), sums: Sums.parse(row) }));
}
