import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { leave } from '../../organisation/leave.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { actsAsOwner, MemberParams, memberRefusal } from './member-view.ts';
import { dropOwner } from './owners-in-cluster.ts';

export const removeMember = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/members/{person}',
  id: 'removeMember',
  summary: 'Remove a person: their seat is free, their keys and chat sessions end at once',
  tag: 'Members',
  access: 'members.write',
  params: MemberParams,
  responses: {
    204: { description: 'Removed' },
    403: { description: 'Only an owner may remove an owner', schema: Problem },
    404: { description: 'No such tenant or member', schema: Problem },
    409: { description: 'It is the last owner, or the owners are held elsewhere (field_managed)', schema: Problem },
    422: { description: 'The Tenant in the cluster is not valid', schema: Problem },
    503: { description: 'An owner goes, and the cluster does not answer', schema: Problem },
  },
  run: (services, { params, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const mayRemoveOwners = actsAsOwner(principal, role);
      const refused = mayRemoveOwners ? await dropOwner(services, tenant, params.person) : undefined;
      if (refused !== undefined) return refused;
      const left = await leave(services.pool, tenant, params.person, { mayRemoveOwners });
      if (left.outcome !== 'left') return memberRefusal(left.outcome);
      return { status: 204, audit: { target: `member/${params.person}`, before: { role: left.role } } };
    }),
});
