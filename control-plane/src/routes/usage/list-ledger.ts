import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { NanoEur } from '../../pricing/money.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';

const Kind = z.enum(['grant', 'hold', 'post', 'void', 'expire', 'refuse', 'overrun', 'lapse']);

const LedgerEntry = z
  .object({
    sequence: z.int(),
    at: z.iso.datetime(),
    kind: Kind,
    period: z.string(),
    requestId: z.uuid().optional(),
    amountNanoEur: z.string().regex(/^-?\d+$/),
    releasedNanoEur: NanoEur.optional().meta({ description: 'Of a post: the hold that ended with it' }),
    grantedAfterNanoEur: NanoEur,
    postedAfterNanoEur: NanoEur,
    heldAfterNanoEur: NanoEur,
    overrunAfterNanoEur: NanoEur,
    reason: z.string().optional(),
  })
  .meta({
    id: 'LedgerEntry',
    description:
      'Balances are the account’s since it was opened. A refusal carries the amount that was asked; it was right when posted + held + amount exceeds granted',
  });

const Row = z.object({
  sequence: z.bigint(),
  at: z.date(),
  kind: Kind,
  period: z.string(),
  request_id: z.uuid().nullable(),
  amount: z.bigint(),
  released: z.bigint(),
  granted_after: z.bigint(),
  posted_after: z.bigint(),
  held_after: z.bigint(),
  overrun_after: z.bigint(),
  reason: z.string().nullable(),
});

export const listLedger = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/ledger',
  id: 'listLedger',
  summary: 'Every movement of a tenant’s budget and every refusal, in the order they happened',
  tag: 'Usage',
  access: 'admin',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(LedgerEntry) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async ({ account }) => {
      const after = readCursor(query.cursor, z.string().regex(/^\d{1,18}$/), '0');
      const { rows } = await services.pool.query(
        'select * from ledger_entry where account_id = $1 and sequence > $2 order by sequence limit $3',
        [account, after, query.limit + 1],
      );
      const entries = rows.map((row) => Row.parse(row));
      const { items, nextCursor } = page(entries, query.limit, ({ sequence }) => sequence.toString());
      return { status: 200, body: { items: items.map(entryView), nextCursor } };
    }),
});

function entryView(row: z.output<typeof Row>): z.input<typeof LedgerEntry> {
  return {
    sequence: Number(row.sequence),
    at: row.at.toISOString(),
    kind: row.kind,
    period: row.period,
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
    amountNanoEur: row.amount.toString(),
    ...(row.kind === 'post' ? { releasedNanoEur: row.released.toString() } : {}),
    grantedAfterNanoEur: row.granted_after.toString(),
    postedAfterNanoEur: row.posted_after.toString(),
    heldAfterNanoEur: row.held_after.toString(),
    overrunAfterNanoEur: row.overrun_after.toString(),
    ...(row.reason === null ? {} : { reason: row.reason }),
  };
}
