import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { findInvitation } from '../../organisation/accept.ts';
import { InvitationToken } from '../../organisation/invitations.ts';
import { GivenRole } from '../../organisation/roles.ts';
import { invitationRefusal } from './invitation-view.ts';

export const lookUpInvitation = route({
  method: 'post',
  path: '/v1/invitations/lookup',
  id: 'lookUpInvitation',
  summary: 'What an invitation is for; only its token opens it',
  tag: 'Members',
  access: 'public',
  body: z.strictObject({ token: InvitationToken }),
  responses: {
    200: {
      description: 'The invitation',
      schema: z.object({
        tenant: z.string(),
        tenantDisplayName: z.string(),
        role: GivenRole,
        inviterName: z.string().nullable().meta({ description: 'null: the platform’s administration' }),
        email: z.string().meta({ description: 'The address that was invited' }),
        expiresAt: z.iso.datetime(),
      }),
    },
    404: { description: 'No such invitation, or it is over', schema: Problem },
    410: { description: 'It has expired', schema: Problem },
  },
  run: async ({ pool, catalogue }, { body }) => {
    const found = await findInvitation(pool, body.token);
    if (found === undefined) return invitationRefusal('unknown');
    if (found.expired) return invitationRefusal('expired');
    const tenant = await catalogue.tenantByName(found.tenant_name);
    const { rows } = await pool.query<{ name: string | null }>('select name from person where id = $1', [
      found.invited_by,
    ]);
    return {
      status: 200,
      body: {
        tenant: found.tenant_name,
        tenantDisplayName: tenant?.registration.displayName ?? found.tenant_name,
        role: found.role,
        inviterName: rows[0]?.name ?? null,
        email: found.email,
        expiresAt: found.expires_at.toISOString(),
      },
    };
  },
});
