import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { mailInvitation } from '../../organisation/mail-invitation.ts';
import { resend } from '../../organisation/resend.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { InvitationParams, InvitationView, invitationRefusal, invitationView } from './invitation-view.ts';

export const resendInvitation = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/invitations/{invitation}',
  id: 'resendInvitation',
  summary: 'Send an invitation once more, with a new link and its whole time',
  tag: 'Members',
  access: 'members.write',
  params: InvitationParams,
  responses: {
    200: { description: 'On its way; the link mailed before opens nothing any more', schema: InvitationView },
    404: { description: 'No such tenant, or no such invitation that waits', schema: Problem },
    409: { description: 'It was sent often enough', schema: Problem },
    429: { description: 'It was sent a moment ago', schema: Problem },
  },
  run: (services, { params, principal }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const by = principal.kind === 'person' ? principal.person.name : undefined;
      const sent = await inTransaction(services.pool, async (client) => {
        const outcome = await resend(client, tenant.id, params.invitation);
        if (outcome.outcome === 'sent') await mailInvitation(client, services, tenant, outcome, by);
        return outcome;
      });
      if (sent.outcome === 'too_soon') {
        const { retryAfterSeconds } = sent;
        const detail = `this invitation was sent a moment ago: wait ${retryAfterSeconds} seconds`;
        const body = problem(429, 'invitation_sent_just_now', detail, { retryAfterSeconds });
        return { status: 429, body, headers: { 'retry-after': String(retryAfterSeconds) } };
      }
      if (sent.outcome !== 'sent') return invitationRefusal(sent.outcome);
      return {
        status: 200,
        body: invitationView(sent.invitation),
        audit: { target: `invitation/${sent.invitation.id}` },
      };
    }),
});
