import { z } from 'zod';
import { Role } from '../../http/permissions.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { accept } from '../../organisation/accept.ts';
import { InvitationToken } from '../../organisation/invitations.ts';
import { invitationRefusal } from './invitation-view.ts';

export const acceptInvitation = route({
  method: 'post',
  path: '/v1/invitations/acceptances',
  id: 'acceptInvitation',
  summary: 'Join a tenant by the token of an invitation, once',
  tag: 'Members',
  access: 'person',
  body: z.strictObject({ token: InvitationToken }),
  responses: {
    201: {
      description: 'Joined; whoever belonged to it already keeps the role they have',
      schema: z.object({ tenant: z.string(), role: Role }),
    },
    403: { description: 'It is for another address', schema: Problem },
    404: { description: 'No such invitation, or it is over', schema: Problem },
    409: { description: 'Every seat has been taken meanwhile', schema: Problem },
    410: { description: 'It has expired', schema: Problem },
  },
  run: async ({ pool }, { body, principal }) => {
    if (principal.kind !== 'person') throw new Error('a route for people was reached by none');
    const accepted = await accept(pool, body.token, principal.person.id);
    if (accepted.outcome !== 'joined' && accepted.outcome !== 'member_already') {
      return invitationRefusal(accepted.outcome);
    }
    const { tenant, role } = accepted;
    return { status: 201, body: { tenant, role }, audit: { target: `tenant/${tenant}`, after: { role } } };
  },
});
