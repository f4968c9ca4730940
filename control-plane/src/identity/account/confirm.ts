import { z } from 'zod';
import { hashToken } from '../../crypto/token.ts';
import { equalHashes } from '../../crypto/vault.ts';
import { inTransaction } from '../../database/pool.ts';
import { problem } from '../../http/problem.ts';
import type { Call } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { completeFirstFactor, type SignIn } from '../sign-in.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import { createPerson } from './people.ts';
import { type Refusal, signInRefused, tokenUnknown } from './refusals.ts';
import { REGISTRATION_COOKIE } from './registration-cookie.ts';

type From = Pick<Call<unknown, unknown, unknown>, 'client' | 'cookies'>;
type Given = { readonly token: string; readonly password?: string | undefined };

const Row = z.object({
  email: z.string(),
  name: z.string(),
  language: z.enum(['de', 'en']),
  password_hash: z.string(),
  terms_version: z.string(),
  created_at: z.date(),
  browser_sha256: z.instanceof(Buffer),
});

/** Makes a person of a registration whose mail was answered, and signs them in. */
export async function confirm(services: Services, given: Given, from: From): Promise<SignIn | Refusal> {
  const { pool, throttle, platformAdmins } = services;
  const waitMs = await throttle.attempt({ rule: THROTTLES.tokenAddress, subject: from.client.address ?? '' });
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const sha256 = hashToken(given.token);
  const { rows } = await pool.query(
    'select * from registration where token_sha256 = $1 and expires_at > clock_timestamp()',
    [sha256],
  );
  if (rows[0] === undefined) return tokenUnknown();
  const registration = Row.parse(rows[0]);
  const stranger = await refuseStrangers(services, registration, given, from);
  if (stranger !== undefined) return stranger;
  return inTransaction(pool, async (client) => {
    // The one that deletes the row has it: of any number at the same time, exactly one.
    const { rowCount } = await client.query('delete from registration where token_sha256 = $1', [sha256]);
    if (rowCount !== 1) return tokenUnknown();
    const { email, name, language, password_hash: passwordHash, terms_version: termsVersion } = registration;
    const person = { email, name, language, passwordHash, termsVersion, termsAcceptedAt: registration.created_at };
    const personId = await createPerson(client, platformAdmins, person);
    if (personId === undefined) return tokenUnknown();
    return completeFirstFactor(client, personId, 'confirmation', from);
  });
}

/** The one who confirms must be the one who registered: the same browser, or one who knows the password. */
async function refuseStrangers(
  { throttle, passwords }: Services,
  registration: z.output<typeof Row>,
  { password }: Given,
  { cookies }: From,
): Promise<Refusal | undefined> {
  const browser = cookies.get(REGISTRATION_COOKIE);
  if (browser !== undefined && equalHashes(hashToken(browser), registration.browser_sha256)) return undefined;
  if (password === undefined) {
    const detail =
      'this link was opened in another browser than the one that registered; give the password chosen there';
    return { status: 403, body: problem(403, 'password_required', detail) };
  }
  const attempt = { rule: THROTTLES.signInAccount, subject: registration.email };
  const waitMs = await throttle.attempt(attempt);
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const { right } = await passwords.compare(password, registration.password_hash);
  if (!right) return signInRefused();
  await throttle.forget(attempt);
  return undefined;
}
