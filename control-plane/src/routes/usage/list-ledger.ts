import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { NanoEur } from '../../pricing/money.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';

const Kind = z.enum([
  'grant',
  'hold',
  'lease',
  'draw',
  'post',
  'void',
  'expire',
  'refuse',
  'overrun',
  'lapse',
  'refund',
  'revoke',
]);

const LedgerEntry = z
  .object({
    sequence: z.int(),
    at: z.iso.datetime(),
    kind: Kind,
    period: z.string(),
    requestId: z.uuid().optional(),
    userId: z.uuid().optional(),
    keyId: z.uuid().optional(),
    amountNanoEur: z.string().regex(/^-?\d+$/),
    releasedNanoEur: NanoEur.optional().meta({ description: 'Of a post: the hold that ended with it' }),
    grantedAfterNanoEur: NanoEur,
    postedAfterNanoEur: NanoEur,
    heldAfterNanoEur: NanoEur,
    overrunAfterNanoEur: NanoEur,
    reason: z.string().optional(),
    refusedBy: z
      .object({
        scope: z.enum(['user', 'key']),
        budgetNanoEur: NanoEur,
        postedNanoEur: NanoEur,
        heldNanoEur: NanoEur,
      })
      .optional()
      .meta({ description: 'Of a refusal by the budget of a user or key: its figures at that instant' }),
    reverses: z.int().optional().meta({ description: 'The line that this one takes back' }),
    lots: z
      .array(z.object({ lot: z.int(), drawnNanoEur: z.string().regex(/^-?\d+$/) }))
      .optional()
      .meta({ description: 'Which granted money it moved; negative: given (back) to the lot' }),
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
  member_id: z.uuid().nullable(),
  key_id: z.uuid().nullable(),
  amount: z.bigint(),
  released: z.bigint(),
  granted_after: z.bigint(),
  posted_after: z.bigint(),
  held_after: z.bigint(),
  overrun_after: z.bigint(),
  reason: z.string().nullable(),
  scope: z.enum(['tenant', 'user', 'key']).nullable(),
  scope_budget: z.bigint().nullable(),
  scope_posted: z.bigint().nullable(),
  scope_held: z.bigint().nullable(),
  reverses: z.bigint().nullable(),
  draws: z.array(z.object({ lot: z.int(), drawnNanoEur: z.string() })).nullable(),
});

export const listLedger = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/ledger',
  id: 'listLedger',
  summary: 'Every movement of a tenant’s budget and every refusal, in the order they happened',
  tag: 'Usage',
  access: 'usage.read',
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
        `select *, (select jsonb_agg(jsonb_build_object('lot', d.lot, 'drawnNanoEur', d.part::text))
                    from unnest(lots, drawn) d(lot, part)) as draws
         from ledger_entry where account_id = $1 and sequence > $2 order by sequence limit $3`,
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
    ...(row.member_id === null ? {} : { userId: row.member_id }),
    ...(row.key_id === null ? {} : { keyId: row.key_id }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...refusedBy(row),
    ...(row.reverses === null ? {} : { reverses: Number(row.reverses) }),
    ...(row.draws === null ? {} : { lots: row.draws }),
  };
}

function refusedBy({ scope, scope_budget, scope_posted, scope_held }: z.output<typeof Row>) {
  if (scope === null || scope === 'tenant' || scope_budget === null) return {};
  const figures = { budgetNanoEur: scope_budget, postedNanoEur: scope_posted, heldNanoEur: scope_held };
  const texts = Object.entries(figures).map(([name, amount]) => [name, String(amount)]);
  return { refusedBy: { scope, ...Object.fromEntries(texts) } };
}
