import { hashToken, newToken } from '../../crypto/token.ts';
import { inTransaction } from '../../database/pool.ts';
import type { Answer, Call } from '../../http/route.ts';
import { enqueueMail } from '../../mail/outbox.ts';
import { portalLink } from '../../mail/portal-link.ts';
import { adoptOwnerships } from '../../organisation/ownerships.ts';
import type { Services } from '../../services.ts';
import { revokeSessions } from '../session/sessions.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import { addressTaken } from './change-address.ts';
import { tokenUnknown } from './refusals.ts';
import { RESET_MINUTES } from './reset-password.ts';

/** Days within which the old address can take a change of address back. */
export const UNDO_DAYS = 7;
/**
 * Hours before the change from which on ways to sign in are in doubt: whoever took an account over adds their own first.
 * Older ones stay, the owner's second factor among them: an old mailbox alone must not do away with that.
 */
const DOUBT_HOURS = 24;
const UNIQUE_VIOLATION = '23505';

/**
 * Gives an account back to its old address. Whoever changed it may know the password and be signed in: both end, and a
 * mail to the old address leads to a new password. Links that lead to addresses taken later end too, and so do passkeys,
 * providers and authenticator apps that were added around the change or after it.
 */
export async function undoAddressChange(
  { pool, vault, throttle, portalUrl }: Services,
  token: string,
  { client: from }: Pick<Call<unknown, unknown, unknown>, 'client'>,
): Promise<Answer> {
  const waitMs = await throttle.attempt({ rule: THROTTLES.tokenAddress, subject: from.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  try {
    return await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ person_id: string; email: string; since: string }>(
        `delete from address_change where token_sha256 = $1 and kind = 'undo' and expires_at > clock_timestamp()
         returning person_id, email, created_at::text as since`,
        [hashToken(token)],
      );
      const undone = rows[0];
      if (undone === undefined) return tokenUnknown();
      const { person_id: personId, email } = undone;
      const { rows: restored } = await client.query<{ language: 'de' | 'en' }>(
        `update person set email = $2, email_verified_at = clock_timestamp(), password_hash = null, changed_at = now()
         where id = $1 and state = 'active' returning language`,
        [personId, email],
      );
      const language = restored[0]?.language;
      if (language === undefined) return tokenUnknown();
      await client.query('delete from address_change where person_id = $1 and created_at >= $2', [
        personId,
        undone.since,
      ]);
      for (const table of ['identity', 'passkey', 'totp', 'recovery_code']) {
        await client.query(
          `delete from ${table} where person_id = $1 and created_at >= $2::timestamptz - make_interval(hours => $3)`,
          [personId, undone.since, DOUBT_HOURS],
        );
      }
      await client.query('delete from pending_sign_in where person_id = $1', [personId]);
      await revokeSessions(client, personId);
      await adoptOwnerships(client, personId);
      const resetToken = newToken();
      await client.query(
        `insert into password_reset (token_sha256, email, expires_at)
         values ($1, $2, clock_timestamp() + make_interval(mins => $3))`,
        [hashToken(resetToken), email, RESET_MINUTES],
      );
      const data = { link: portalLink(portalUrl, 'reset', resetToken), validMinutes: RESET_MINUTES };
      await enqueueMail(client, vault, { to: email, language, template: 'address-restored', data });
      return { status: 204, audit: { target: `person/${personId}` } };
    });
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    return addressTaken();
  }
}
