import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { UsageLine, usageLine } from './usage-view.ts';

export const listUsage = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/usage',
  id: 'listUsage',
  summary: 'One explained line per billed request, oldest first',
  tag: 'Usage',
  access: 'usage.read',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(UsageLine) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async ({ account }) => {
      // Lines get their place under the account's lock, so a reader that follows the cursor misses none.
      const after = readCursor(query.cursor, z.string().regex(/^\d{1,18}$/), '0');
      const { rows } = await services.pool.query<{ sequence: bigint }>(
        `select u.*, m.external_id, m.email, m.name from usage_line u left join member m on m.id = u.member_id
         where u.account_id = $1 and u.sequence > $2 order by u.sequence limit $3`,
        [account, after, query.limit + 1],
      );
      const { items, nextCursor } = page(rows, query.limit, ({ sequence }) => sequence.toString());
      return { status: 200, body: { items: items.map(usageLine), nextCursor } };
    }),
});
