import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { MEMBER_COLUMNS, MemberView, memberView } from './member-view.ts';

const Position = z.tuple([z.string(), z.uuid()]);
const START: z.output<typeof Position> = ['-infinity', '00000000-0000-0000-0000-000000000000'];

export const listMembers = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/members',
  id: 'listMembers',
  summary: 'People of a tenant, in the order in which they joined',
  tag: 'Members',
  access: 'members.read',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(MemberView) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const [at, id] = readCursor(query.cursor, Position, START);
      // The position keeps the microseconds that a JavaScript Date would drop.
      const { rows } = await services.pool.query<{ person_id: string; position: string }>(
        `select s.created_at::text as position, ${MEMBER_COLUMNS}
         where s.tenant_id = $1 and (s.created_at, s.person_id) > ($2, $3)
         order by s.created_at, s.person_id limit $4`,
        [tenant.id, at, id, query.limit + 1],
      );
      const { items, nextCursor } = page(rows, query.limit, (row) => [row.position, row.person_id]);
      return { status: 200, body: { items: items.map(memberView), nextCursor } };
    }),
});
