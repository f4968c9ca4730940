import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { invite } from '../../organisation/invite.ts';
import { mailInvitation } from '../../organisation/mail-invitation.ts';
import { GivenRole } from '../../organisation/roles.ts';
import { lockSeats } from '../../organisation/seats.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { InvitationView, invitationRefusal, invitationView } from './invitation-view.ts';

export const createInvitation = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/invitations',
  id: 'createInvitation',
  summary: 'Invite somebody by mail',
  tag: 'Members',
  access: 'members.write',
  params: TenantParams,
  body: z.strictObject({
    email: z.email().max(254),
    role: GivenRole,
    language: z.enum(['de', 'en']).optional().meta({ description: 'Of the mail; absent: the tenant’s language' }),
  }),
  responses: {
    201: { description: 'Invited; the mail is on its way', schema: InvitationView },
    404: { description: 'No such tenant', schema: Problem },
    409: { description: 'A member or invited already, no seat is free, or too many wait', schema: Problem },
    429: { description: 'Too many invitations today', schema: Problem },
  },
  run: (services, { params, body, principal }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const by = principal.kind === 'person' ? principal.person : undefined;
      const language = body.language ?? tenant.registration.language;
      const wish = { tenant: tenant.id, email: body.email, role: body.role, language, by: by?.id };
      const made = await inTransaction(services.pool, async (client) => {
        await lockSeats(client, tenant);
        const invited = await invite(client, wish);
        if (invited.outcome === 'invited') await mailInvitation(client, services, tenant, invited, by?.name);
        return invited;
      });
      if (made.outcome !== 'invited') return invitationRefusal(made.outcome);
      const { email, role } = made.invitation;
      const audit = { target: `invitation/${made.invitation.id}`, after: { email, role } };
      return { status: 201, body: invitationView(made.invitation), audit };
    }),
});
