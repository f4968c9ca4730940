import type pg from 'pg';
import type { TenantRecord } from '../catalogue/tenant-record.ts';
import { enqueueMail } from '../mail/outbox.ts';
import { portalLink } from '../mail/portal-link.ts';
import type { Services } from '../services.ts';
import { INVITATION_DAYS, type Invitation } from './invitations.ts';

/** Queues the mail of an invitation in the transaction that makes it, or gives it a new token. */
export async function mailInvitation(
  client: pg.ClientBase,
  { vault, portalUrl }: Services,
  tenant: TenantRecord,
  { invitation, token }: { readonly invitation: Invitation; readonly token: string },
  inviter: string | undefined,
): Promise<void> {
  await enqueueMail(client, vault, {
    to: invitation.email,
    language: invitation.language,
    template: 'invitation',
    data: {
      tenant: tenant.registration.displayName,
      inviter: inviter ?? null,
      role: invitation.role,
      link: portalLink(portalUrl, 'invitation', token),
      validDays: INVITATION_DAYS,
    },
    expiresAt: invitation.expires_at,
  });
}
