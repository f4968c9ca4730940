import { hashToken, newToken } from '../../crypto/token.ts';
import { inTransaction } from '../../database/pool.ts';
import type { Answer, Call } from '../../http/route.ts';
import { enqueueMailByAddress } from '../../mail/outbox.ts';
import { portalLink } from '../../mail/portal-link.ts';
import type { FilledTemplate } from '../../mail/templates/templates.ts';
import type { Services } from '../../services.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import { REGISTRATION_COOKIE, REGISTRATION_HOURS, registrationCookie } from './registration-cookie.ts';

export type Registration = {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly language: 'de' | 'en';
  readonly termsVersion: string;
};

type From = Pick<Call<unknown, unknown, unknown>, 'client' | 'cookies'>;

/** What registering answers, always: whether the address was known, new, or had too many mails shows nowhere. */
const MAIL_SENT = { status: 202, body: { status: 'mail_sent' } } as const;

/**
 * Keeps what somebody typed until the address is confirmed. The same is done for a known address and for a new one;
 * which of the two mails goes out is decided when it is sent.
 */
export async function register(services: Services, registration: Registration, { client }: From): Promise<Answer> {
  const { pool, vault, throttle, portalUrl } = services;
  const { name, email, language, termsVersion } = registration;
  const waitMs = await throttle.attempt({ rule: THROTTLES.registrationAddress, subject: client.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const passwordHash = await services.passwords.hash(registration.password);
  const token = newToken();
  const browser = newToken();
  const answer = { ...MAIL_SENT, cookies: [registrationCookie(browser)] };
  if ((await throttle.attempt({ rule: THROTTLES.mailRecipient, subject: email })) > 0) return answer;
  await inTransaction(pool, async (database) => {
    const { rows } = await database.query<{ expires_at: Date }>(
      `insert into registration
         (email, name, language, password_hash, terms_version, token_sha256, browser_sha256, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(hours => $8)) returning expires_at`,
      [email, name, language, passwordHash, termsVersion, hashToken(token), hashToken(browser), REGISTRATION_HOURS],
    );
    await enqueueMailByAddress(database, vault, {
      to: email,
      language,
      ...registrationMails(portalUrl, token),
      ...(rows[0] === undefined ? {} : { expiresAt: rows[0].expires_at }),
    });
  });
  return answer;
}

/** Sends the mail of this browser's registration once more, with a fresh token; the one before stops working. */
export async function resendRegistration(
  { pool, vault, throttle, portalUrl }: Services,
  email: string,
  { client, cookies }: From,
): Promise<Answer> {
  const waitMs = await throttle.attempt({ rule: THROTTLES.mailRequestAddress, subject: client.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const browser = cookies.get(REGISTRATION_COOKIE);
  if (browser === undefined) return MAIL_SENT;
  if ((await throttle.attempt({ rule: THROTTLES.mailRecipient, subject: email })) > 0) return MAIL_SENT;
  const token = newToken();
  await inTransaction(pool, async (database) => {
    const { rows } = await database.query<{ email: string; language: 'de' | 'en'; expires_at: Date }>(
      `update registration set token_sha256 = $3
       where browser_sha256 = $1 and lower(email) = lower($2) and expires_at > clock_timestamp()
       returning email, language, expires_at`,
      [hashToken(browser), email, hashToken(token)],
    );
    const registration = rows[0];
    if (registration === undefined) return;
    await enqueueMailByAddress(database, vault, {
      to: registration.email,
      language: registration.language,
      ...registrationMails(portalUrl, token),
      expiresAt: registration.expires_at,
    });
  });
  return MAIL_SENT;
}

function registrationMails(portalUrl: string, token: string) {
  const known: FilledTemplate = {
    template: 'already-registered',
    data: { signInLink: portalLink(portalUrl, 'sign-in'), forgotLink: portalLink(portalUrl, 'forgot') },
  };
  const unknown: FilledTemplate = {
    template: 'confirm-registration',
    data: { link: portalLink(portalUrl, 'confirm', token), validHours: REGISTRATION_HOURS },
  };
  return { known, unknown };
}
