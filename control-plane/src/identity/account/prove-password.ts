import type { Services } from '../../services.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import type { PersonRecord } from './people.ts';
import { type Refusal, signInRefused } from './refusals.ts';

/** Checks the password of somebody who is signed in, counted like a sign-in. @returns why not, or undefined */
export async function provePassword(
  { throttle, passwords }: Services,
  person: PersonRecord,
  password: string,
): Promise<Refusal | undefined> {
  const attempt = { rule: THROTTLES.signInAccount, subject: person.email };
  const waitMs = await throttle.attempt(attempt);
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const { right } = await passwords.compare(password, person.passwordHash);
  if (!right) return signInRefused();
  await throttle.forget(attempt);
  return undefined;
}
