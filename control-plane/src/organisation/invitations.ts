import { createHash, randomBytes } from 'node:crypto';
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
/** 256 bits: nobody guesses it, so a plain sha-256 of it may be stored. */
const TOKEN_BYTES = 32;

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

export function newToken(): { readonly token: string; readonly sha256: Buffer } {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return { token, sha256: tokenHash(token) };
}

export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
