import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { changeRole } from '../../organisation/change-role.ts';
import { GivenRole } from '../../organisation/roles.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { actsAsOwner, MEMBER_COLUMNS, MemberParams, MemberView, memberRefusal, memberView } from './member-view.ts';
import { dropOwner } from './owners-in-cluster.ts';

export const changeMember = route({
  method: 'patch',
  path: '/v1/tenants/{tenant}/members/{person}',
  id: 'changeMember',
  summary: 'Give a member another role; with it comes a seat, or goes',
  tag: 'Members',
  access: 'members.write',
  params: MemberParams,
  body: z.strictObject({
    role: GivenRole.meta({ description: 'Ownership is handed over: POST /v1/tenants/{tenant}/ownership' }),
  }),
  responses: {
    200: { description: 'The member with this role', schema: MemberView },
    403: { description: 'Only an owner may change an owner', schema: Problem },
    404: { description: 'No such tenant or member', schema: Problem },
    409: { description: 'No seat is free, it is the last owner, or owners are held elsewhere', schema: Problem },
    422: { description: 'The input is not valid', schema: Problem },
    503: { description: 'An owner steps down, and the cluster does not answer', schema: Problem },
  },
  run: (services, { params, body, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const mayDemoteOwners = actsAsOwner(principal, role);
      const refused = mayDemoteOwners ? await dropOwner(services, tenant, params.person) : undefined;
      if (refused !== undefined) return refused;
      const changed = await changeRole(services.pool, tenant, params.person, body.role, { mayDemoteOwners });
      if (changed.outcome !== 'changed' && changed.outcome !== 'unchanged') return memberRefusal(changed.outcome);
      const { rows } = await services.pool.query(
        `select ${MEMBER_COLUMNS} where s.tenant_id = $1 and s.person_id = $2`,
        [tenant.id, params.person],
      );
      if (rows[0] === undefined) return memberRefusal('no_member');
      const audit = {
        target: `member/${params.person}`,
        before: { role: changed.before },
        after: { role: body.role },
      };
      return { status: 200, body: memberView(rows[0]), audit };
    }),
});
