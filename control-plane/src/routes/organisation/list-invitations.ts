import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { InvitationView, invitationView } from './invitation-view.ts';

const Position = z.tuple([z.string(), z.uuid()]);
const START: z.output<typeof Position> = ['-infinity', '00000000-0000-0000-0000-000000000000'];

export const listInvitations = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/invitations',
  id: 'listInvitations',
  summary: 'Invitations that wait, oldest first; those that have expired stay until they are withdrawn',
  tag: 'Members',
  access: 'members.read',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(InvitationView) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const [at, id] = readCursor(query.cursor, Position, START);
      const { rows } = await services.pool.query<{ id: string; position: string }>(
        `select *, created_at::text as position from invitation
         where tenant_id = $1 and state = 'pending' and (created_at, id) > ($2, $3)
         order by created_at, id limit $4`,
        [tenant.id, at, id, query.limit + 1],
      );
      const { items, nextCursor } = page(rows, query.limit, (row) => [row.position, row.id]);
      return { status: 200, body: { items: items.map(invitationView), nextCursor } };
    }),
});
