import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { GrantView, grantView } from './grant-view.ts';

const Row = z.object({
  id: z.uuid(),
  source: z.string(),
  amount: z.bigint(),
  priority: z.int(),
  expires_at: z.date().nullable(),
  note: z.string().nullable(),
  period: z.string(),
  sequence: z.bigint(),
  created_at: z.date(),
});

export const listGrants = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/grants',
  id: 'listGrants',
  summary: 'All grants, oldest first',
  tag: 'Grants',
  access: 'usage.read',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(GrantView) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async ({ account }) => {
      const after = readCursor(query.cursor, z.string().regex(/^\d{1,18}$/), '0');
      const { rows } = await services.pool.query(
        `select id, source, amount, priority, expires_at, note, period, sequence, created_at from ledger_grant
         where account_id = $1 and sequence > $2 order by sequence limit $3`,
        [account, after, query.limit + 1],
      );
      const grants = rows.map((row) => Row.parse(row));
      const { items, nextCursor } = page(grants, query.limit, ({ sequence }) => sequence.toString());
      const views = items.map((row) =>
        grantView({ ...row, amountNanoEur: row.amount, expiresAt: row.expires_at, createdAt: row.created_at }),
      );
      return { status: 200, body: { items: views, nextCursor } };
    }),
});
