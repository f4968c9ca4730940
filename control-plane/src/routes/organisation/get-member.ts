import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { MEMBER_COLUMNS, MemberParams, MemberView, memberRefusal, memberView } from './member-view.ts';

export const getMember = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/members/{person}',
  id: 'getMember',
  summary: 'One person of a tenant',
  tag: 'Members',
  access: 'members.read',
  params: MemberParams,
  responses: {
    200: { description: 'The member', schema: MemberView },
    404: { description: 'No such tenant or member', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { rows } = await services.pool.query(
        `select ${MEMBER_COLUMNS} where s.tenant_id = $1 and s.person_id = $2`,
        [tenant.id, params.person],
      );
      return rows[0] === undefined ? memberRefusal('no_member') : { status: 200, body: memberView(rows[0]) };
    }),
});
