import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { UserView, userView } from './user-view.ts';

const Position = z.tuple([z.string(), z.uuid()]);
const START: z.output<typeof Position> = ['-infinity', '00000000-0000-0000-0000-000000000000'];

export const listUsers = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/users',
  id: 'listUsers',
  summary: 'Users of a tenant, oldest first',
  tag: 'Users',
  access: 'members.read',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(UserView) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const [at, id] = readCursor(query.cursor, Position, START);
      // The position keeps the microseconds that a JavaScript Date would drop.
      const { rows } = await services.pool.query<{ id: string; position: string }>(
        `select *, created_at::text as position from member
         where tenant_id = $1 and removed_at is null and (created_at, id) > ($2, $3) order by created_at, id limit $4`,
        [tenant.id, at, id, query.limit + 1],
      );
      const { items, nextCursor } = page(rows, query.limit, (row) => [row.position, row.id]);
      return { status: 200, body: { items: items.map(userView), nextCursor } };
    }),
});
