import type pg from 'pg';
import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { NanoEur } from '../../pricing/money.ts';
import { DateRangeFields } from '../../usage/date-range.ts';
import { DIMENSION_NAMES, type Dimension, type Group, summarise } from '../../usage/summary.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { readRange } from './read-range.ts';

const GroupBy = z
  .string()
  .max(100)
  .default('')
  .transform((text) => (text === '' ? [] : text.split(',')))
  .pipe(z.array(z.enum(DIMENSION_NAMES)).refine((names) => new Set(names).size === names.length, 'names one twice'))
  .meta({ description: `Any of ${DIMENSION_NAMES.join(', ')}, with commas between. Absent: one sum of all` });

const UsageSum = z
  .object({
    day: z.iso.date().optional(),
    model: z.string().optional().meta({ description: 'The model that was asked for' }),
    modelServed: z.string().optional(),
    user: z
      .object({ id: z.uuid(), email: z.string().nullable(), name: z.string().nullable() })
      .nullable()
      .optional()
      .meta({ description: 'null: requests of no user' }),
    key: z.object({ id: z.uuid(), name: z.string() }).nullable().optional(),
    requests: z.int(),
    inputTokens: z.int(),
    cachedInputTokens: z.int(),
    cacheWriteTokens: z.int(),
    audioInputTokens: z.int(),
    outputTokens: z.int(),
    audioOutputTokens: z.int(),
    images: z.int(),
    costNanoEur: NanoEur,
    marginNanoEur: NanoEur,
    totalNanoEur: NanoEur,
    overrunNanoEur: NanoEur.meta({ description: 'Of the total, what was billed beyond a hold' }),
  })
  .meta({ id: 'UsageSum' });

export const summariseUsage = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/usage/summary',
  id: 'summariseUsage',
  summary: 'Usage summed by day, model, user and key',
  tag: 'Usage',
  access: 'usage.read',
  params: TenantParams,
  query: PageQuery.extend({ ...DateRangeFields, groupBy: GroupBy }),
  responses: {
    200: { description: 'A page of sums, in the order of their groups', schema: pageOf(UsageSum) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async ({ account, registration }) => {
      const range = readRange(query, services.now(), registration.timeZone);
      const { groupBy, limit } = query;
      const Position = z.array(z.string()).length(groupBy.length).optional();
      const after = readCursor(query.cursor, Position, undefined);
      const groups = await summarise(services.pool, account, range, groupBy, after, limit + 1);
      const { items, nextCursor } = page(groups, limit, ({ key }) => key);
      return { status: 200, body: { items: await withNames(services.pool, groupBy, items), nextCursor } };
    }),
});

type Named = { readonly id: string; readonly email: string | null; readonly name: string };

async function withNames(
  pool: pg.Pool,
  groupBy: readonly Dimension[],
  groups: readonly Group[],
): Promise<z.input<typeof UsageSum>[]> {
  const idsOf = (dimension: Dimension) => {
    const index = groupBy.indexOf(dimension);
    return index < 0 ? [] : [...new Set(groups.map(({ key }) => key[index] ?? ''))].filter((id) => id !== '');
  };
  const [users, keys] = await Promise.all([
    pool.query<Named>('select id, email, name from member where id = any($1)', [idsOf('user')]),
    pool.query<Named>('select id, null as email, name from api_key where id = any($1)', [idsOf('key')]),
  ]);
  const names = new Map([...users.rows, ...keys.rows].map((row) => [row.id, row]));
  return groups.map(({ key, sums }) => {
    const fields = groupBy.map((dimension, index): [Dimension, unknown] => {
      const value = key[index] ?? '';
      const named = names.get(value);
      switch (dimension) {
        case 'user':
          return ['user', value === '' ? null : { id: value, email: named?.email ?? null, name: named?.name ?? null }];
        case 'key':
          return ['key', value === '' ? null : { id: value, name: named?.name ?? '' }];
        default:
          return [dimension, value];
      }
    });
    return {
      ...(Object.fromEntries(fields) as Pick<z.input<typeof UsageSum>, Dimension>),
      requests: Number(sums.requests),
      inputTokens: Number(sums.input_tokens),
      cachedInputTokens: Number(sums.cached_input_tokens),
      cacheWriteTokens: Number(sums.cache_write_tokens),
      audioInputTokens: Number(sums.audio_input_tokens),
      outputTokens: Number(sums.output_tokens),
      audioOutputTokens: Number(sums.audio_output_tokens),
      images: Number(sums.images),
      costNanoEur: sums.cost.toString(),
      marginNanoEur: sums.margin.toString(),
      totalNanoEur: sums.total.toString(),
      overrunNanoEur: sums.overrun.toString(),
    };
  });
}
