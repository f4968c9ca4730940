import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { InvitationParams, invitationRefusal } from './invitation-view.ts';

export const withdrawInvitation = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/invitations/{invitation}',
  id: 'withdrawInvitation',
  summary: 'Take an invitation back; its link opens nothing any more',
  tag: 'Members',
  access: 'members.write',
  params: InvitationParams,
  responses: {
    204: { description: 'Withdrawn' },
    404: { description: 'No such tenant, or no such invitation that waits', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { rows } = await services.pool.query<{ email: string; role: string }>(
        `update invitation set state = 'withdrawn', ended_at = now()
         where tenant_id = $1 and id = $2 and state = 'pending' returning email, role`,
        [tenant.id, params.invitation],
      );
      if (rows[0] === undefined) return invitationRefusal('unknown');
      const { email, role } = rows[0];
      return { status: 204, audit: { target: `invitation/${params.invitation}`, before: { email, role } } };
    }),
});
