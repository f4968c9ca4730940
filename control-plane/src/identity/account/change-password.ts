import { inTransaction } from '../../database/pool.ts';
import type { Answer, Call } from '../../http/route.ts';
import { enqueueMail } from '../../mail/outbox.ts';
import { portalLink } from '../../mail/portal-link.ts';
import type { Services } from '../../services.ts';
import { weaknessOf } from '../password-rules.ts';
import { callerOf } from './caller.ts';
import { personOfId } from './people.ts';
import { provePassword } from './prove-password.ts';
import { requireRecent } from './recent.ts';
import { signInRefused, unacceptable } from './refusals.ts';
import { storePassword } from './store-password.ts';

export type PasswordChange = { readonly presentPassword?: string | undefined; readonly newPassword: string };

/**
 * Changes the password of somebody who knows the present one. A person without one (who signs in by a provider or a
 * passkey) sets the first by having signed in recently.
 */
export async function changePassword(
  services: Services,
  { presentPassword, newPassword }: PasswordChange,
  call: Pick<Call<unknown, unknown, unknown>, 'principal'>,
): Promise<Answer> {
  const { pool, vault, passwords, portalUrl } = services;
  const { person: caller, session } = callerOf(call);
  const person = await personOfId(pool, caller.id);
  if (person === undefined) return signInRefused();
  if (person.passwordHash === null) {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
  } else {
    if (presentPassword === undefined) return unacceptable('presentPassword', 'is needed to change the password');
    const refusal = await provePassword(services, person, presentPassword);
    if (refusal !== undefined) return refusal;
  }
  const weakness = weaknessOf(newPassword, person);
  if (weakness !== undefined) return unacceptable('newPassword', weakness);
  const passwordHash = await passwords.hash(newPassword);
  const done = await inTransaction(pool, async (client) => {
    if (!(await storePassword(client, person, passwordHash, session.id))) return false;
    const data = { forgotLink: portalLink(portalUrl, 'forgot') };
    const { email: to, language } = person;
    await enqueueMail(client, vault, { to, language, template: 'password-changed', data });
    return true;
  });
  return done ? { status: 204, audit: { target: `person/${person.id}` } } : signInRefused();
}
