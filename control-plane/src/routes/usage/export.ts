import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { csvRecord } from '../../usage/csv.ts';
import { DateRangeFields } from '../../usage/date-range.ts';
import { linesBetween } from '../../usage/lines.ts';
import { dayOf } from '../../usage/local-day.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { readRange } from './read-range.ts';
import { usageLine } from './usage-view.ts';

const CONTENT_TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

export const exportUsage = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/usage/export',
  id: 'exportUsage',
  summary: 'All usage lines of a span as a file',
  tag: 'Usage',
  access: 'usage.read',
  limit: 'expensive',
  params: TenantParams,
  query: z.strictObject({
    ...DateRangeFields,
    format: z
      .enum(['csv', 'ndjson'])
      .default('csv')
      .meta({ description: 'csv: RFC 4180 with a header; ndjson: one UsageLine per line' }),
  }),
  streams: Object.values(CONTENT_TYPES),
  responses: {
    200: { description: 'The file. A connection that breaks off before its end means that lines are missing' },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async ({ name, account, registration }) => {
      const { timeZone } = registration;
      const range = readRange(query, services.now(), timeZone);
      const lines = linesBetween(services.pool, account, range.starts, range.ends);
      return {
        status: 200,
        body: query.format === 'csv' ? asCsv(lines, timeZone) : asNdjson(lines),
        headers: {
          'content-type': `${CONTENT_TYPES[query.format]}; charset=utf-8`,
          'content-disposition': `attachment; filename="usage-${name}-${range.from}-${range.to}.${query.format}"`,
        },
      };
    }),
});

async function* asNdjson(lines: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(usageLine(line))}\n`;
}

async function* asCsv(lines: AsyncIterable<unknown>, timeZone: string): AsyncGenerator<string> {
  yield csvRecord(COLUMNS.map(([name]) => name));
  for await (const line of lines) {
    const view = { ...usageLine(line), timeZone };
    yield csvRecord(COLUMNS.map(([, cell]) => cell(view)));
  }
}

type Line = ReturnType<typeof usageLine> & { readonly timeZone: string };

/** The columns of the CSV file. Those who read it by machine go by the names, so a name never changes its meaning. */
const COLUMNS: readonly (readonly [string, (line: Line) => string | number | boolean | null])[] = [
  ['sequence', ({ sequence }) => sequence],
  ['at', ({ at }) => at],
  ['day', ({ at, timeZone }) => dayOf(new Date(at), timeZone)],
  ['request_id', ({ requestId }) => requestId],
  ['model', ({ model }) => model],
  ['model_served', ({ modelServed }) => modelServed],
  ['user_id', ({ user }) => user?.id ?? null],
  ['user_email', ({ user }) => user?.email ?? null],
  ['user_name', ({ user }) => user?.name ?? null],
  ['key_id', ({ keyId }) => keyId],
  ['call_type', ({ callType }) => callType],
  ['input_tokens', ({ inputTokens }) => inputTokens],
  ['cached_input_tokens', ({ cachedInputTokens }) => cachedInputTokens],
  ['cache_write_tokens', ({ cacheWriteTokens }) => cacheWriteTokens],
  ['audio_input_tokens', ({ audioInputTokens }) => audioInputTokens],
  ['output_tokens', ({ outputTokens }) => outputTokens],
  ['audio_output_tokens', ({ audioOutputTokens }) => audioOutputTokens],
  ['images', ({ images }) => images],
  ['usd_per_eur', ({ usdEurRate }) => usdEurRate.usdPerEur],
  ['rate_day', ({ usdEurRate }) => usdEurRate.day],
  ['cost_nano_eur', ({ costNanoEur }) => costNanoEur],
  ['margin_percent', ({ marginPercent }) => marginPercent],
  ['margin_nano_eur', ({ marginNanoEur }) => marginNanoEur],
  ['total_nano_eur', ({ totalNanoEur }) => totalNanoEur],
  ['total_eur', ({ totalNanoEur }) => euro(BigInt(totalNanoEur))],
  ['outcome', ({ outcome }) => outcome],
  ['trace_id', ({ traceId }) => traceId],
];

/** All nine decimals: the sum of the column is the sum of the bill. */
function euro(nanoEur: bigint): string {
  const digits = nanoEur.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
