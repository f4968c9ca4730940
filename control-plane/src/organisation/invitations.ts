import { z } from 'zod';
import { GivenRole } from './roles.ts';

/** Days an invitation waits for its person. */
export const INVITATION_DAYS = 7;
/** Invitations of one tenant that wait at the same time. */
export const MAX_PENDING_INVITATIONS = 50;
/** Invitations one tenant may make in a day, whatever became of them: each is a mail to somebody who did not ask. */
export const MAX_INVITATIONS_PER_DAY = 200;
/** Times one invitation is mailed. */
export const MAX_TIMES_SENT = 5;
/** Seconds between two mails of one invitation. */
export const RESEND_WAIT_SECONDS = 60;

/** An invitation as it is stored. */
export const Invitation = z.object({
  id: z.uuid(),
  tenant_id: z.bigint(),
  email: z.string(),
  role: GivenRole,
  invited_by: z.uuid().nullable(),
  language: z.enum(['de', 'en']),
  state: z.enum(['pending', 'accepted', 'withdrawn']),
  created_at: z.date(),
  sent_at: z.date(),
  times_sent: z.int(),
  expires_at: z.date(),
});
export type Invitation = z.output<typeof Invitation>;

/** What is mailed: 43 characters of base64url. */
export const InvitationToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the token of an invitation');
