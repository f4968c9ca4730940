import { hashToken, newToken } from '../../crypto/token.ts';
import { inTransaction } from '../../database/pool.ts';
import type { Answer, Call } from '../../http/route.ts';
import { enqueueMail, enqueueMailByAddress } from '../../mail/outbox.ts';
import { portalLink } from '../../mail/portal-link.ts';
import type { Services } from '../../services.ts';
import { weaknessOf } from '../password-rules.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import { personOfEmail } from './people.ts';
import { tokenUnknown, unacceptable } from './refusals.ts';
import { storePassword } from './store-password.ts';

/** Minutes the link of a reset mail works. */
export const RESET_MINUTES = 60;

type From = Pick<Call<unknown, unknown, unknown>, 'client'>;

/** Queues the mail with the link. What is done is the same for addresses that nobody has. */
export async function requestPasswordReset(
  { pool, vault, throttle, portalUrl }: Services,
  email: string,
  { client: from }: From,
): Promise<Answer> {
  const waitMs = await throttle.attempt({ rule: THROTTLES.mailRequestAddress, subject: from.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const answer = { status: 202, body: { status: 'mail_sent' } };
  if ((await throttle.attempt({ rule: THROTTLES.mailRecipient, subject: email })) > 0) return answer;
  const token = newToken();
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ expires_at: Date }>(
      `insert into password_reset (token_sha256, email, expires_at)
       values ($1, $2, clock_timestamp() + make_interval(mins => $3)) returning expires_at`,
      [hashToken(token), email, RESET_MINUTES],
    );
    const data = { link: portalLink(portalUrl, 'reset', token), validMinutes: RESET_MINUTES };
    await enqueueMailByAddress(client, vault, {
      to: email,
      language: from.language ?? 'de',
      known: { template: 'reset-password', data },
      unknown: null,
      ...(rows[0] === undefined ? {} : { expiresAt: rows[0].expires_at }),
    });
  });
  return answer;
}

/** Sets a new password by the token of the mail, signs out every device, and says so by mail. */
export async function redeemPasswordReset(
  { pool, vault, throttle, passwords, portalUrl }: Services,
  { token, password }: { readonly token: string; readonly password: string },
  { client: from }: From,
): Promise<Answer> {
  const waitMs = await throttle.attempt({ rule: THROTTLES.tokenAddress, subject: from.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const sha256 = hashToken(token);
  const { rows } = await pool.query<{ email: string }>(
    'select email from password_reset where token_sha256 = $1 and expires_at > clock_timestamp()',
    [sha256],
  );
  const person = rows[0] === undefined ? undefined : await personOfEmail(pool, rows[0].email);
  if (person === undefined || !person.active) return tokenUnknown();
  const weakness = weaknessOf(password, person);
  if (weakness !== undefined) return unacceptable('password', weakness);
  const passwordHash = await passwords.hash(password);
  const done = await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query('delete from password_reset where token_sha256 = $1', [sha256]);
    if (rowCount !== 1) return false;
    if (!(await storePassword(client, person, passwordHash, null))) return false;
    const data = { forgotLink: portalLink(portalUrl, 'forgot') };
    const { email: to, language } = person;
    await enqueueMail(client, vault, { to, language, template: 'password-changed', data });
    return true;
  });
  if (!done) return tokenUnknown();
  // Whoever guessed at the old password has no hold on the owner any more.
  await throttle.forget({ rule: THROTTLES.signInAccount, subject: person.email });
  return { status: 204, audit: { target: `person/${person.id}` } };
}
