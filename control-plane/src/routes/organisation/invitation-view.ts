import { z } from 'zod';
import { DnsLabel } from '../../catalogue/registrations.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import {
  Invitation,
  MAX_INVITATIONS_PER_DAY,
  MAX_PENDING_INVITATIONS,
  MAX_TIMES_SENT,
} from '../../organisation/invitations.ts';
import { GivenRole } from '../../organisation/roles.ts';

export const InvitationParams = z.strictObject({ tenant: DnsLabel, invitation: z.uuid() });

export const InvitationView = z
  .object({
    id: z.uuid(),
    email: z.string(),
    role: GivenRole,
    invitedBy: z.uuid().nullable().meta({ description: 'A person; null: the platform’s administration' }),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    expired: z.boolean(),
  })
  .meta({ id: 'Invitation', description: 'An invitation that waits, without the token that was mailed' });

export function invitationView(row: unknown): z.input<typeof InvitationView> {
  const { id, email, role, invited_by, created_at, sent_at, expires_at } = Invitation.parse(row);
  return {
    id,
    email,
    role,
    invitedBy: invited_by,
    createdAt: created_at.toISOString(),
    sentAt: sent_at.toISOString(),
    expiresAt: expires_at.toISOString(),
    expired: expires_at.getTime() <= Date.now(),
  };
}

const REFUSALS = {
  already_member: [409, 'member_exists', 'somebody with this address belongs to the tenant already'],
  already_invited: [409, 'invitation_exists', 'this address is invited already: send that invitation once more'],
  too_many: [
    409,
    'too_many_invitations',
    `a tenant may have ${MAX_PENDING_INVITATIONS} pending invitations: withdraw some`,
  ],
  too_many_today: [
    429,
    'too_many_invitations_today',
    `a tenant may invite ${MAX_INVITATIONS_PER_DAY} times a day: go on tomorrow`,
  ],
  seats_taken: [409, 'seats_taken', 'every seat of this tenant is taken; remove somebody, or choose a larger plan'],
  unknown: [404, 'invitation_unknown', 'there is no such invitation: it was withdrawn, accepted, or sent anew'],
  expired: [410, 'invitation_expired', 'this invitation has expired: ask for another one'],
  sent_often: [
    409,
    'invitation_sent_often',
    `an invitation is sent ${MAX_TIMES_SENT} times: withdraw it and invite anew`,
  ],
  another_address: [
    403,
    'invitation_for_another_address',
    'this invitation is for another address: sign in with the one that was invited',
  ],
} as const;

/** What invitations cannot do, and why. */
export function invitationRefusal(outcome: keyof typeof REFUSALS): Answer {
  const [status, code, detail] = REFUSALS[outcome];
  return { status, body: problem(status, code, detail) };
}
