import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { leave } from '../../organisation/leave.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { memberRefusal } from './member-view.ts';
import { dropOwner } from './owners-in-cluster.ts';

export const leaveTenant = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/members/me',
  id: 'leaveTenant',
  summary: 'Leave a tenant',
  tag: 'Members',
  access: 'tenant.read',
  params: TenantParams,
  responses: {
    204: { description: 'Left' },
    404: { description: 'No such tenant, or the caller is no member of it', schema: Problem },
    409: {
      description: 'The last owner hands over first; or owners are held elsewhere (field_managed)',
      schema: Problem,
    },
    422: { description: 'The Tenant in the cluster is not valid', schema: Problem },
    503: { description: 'An owner goes, and the cluster does not answer', schema: Problem },
  },
  run: (services, { params, principal }) =>
    withTenant(services, params.tenant, async (tenant) => {
      if (principal.kind !== 'person') return memberRefusal('no_member');
      const { id } = principal.person;
      const refused = await dropOwner(services, tenant, id);
      if (refused !== undefined) return refused;
      const left = await leave(services.pool, tenant, id, { mayRemoveOwners: true });
      if (left.outcome !== 'left') return memberRefusal(left.outcome);
      return { status: 204, audit: { target: `member/${id}`, before: { role: left.role } } };
    }),
});
