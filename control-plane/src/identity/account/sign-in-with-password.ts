import { inTransaction } from '../../database/pool.ts';
import type { Call } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { completeFirstFactor, type SignIn } from '../sign-in.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import { personOfEmail } from './people.ts';
import { type Refusal, signInRefused } from './refusals.ts';

/** Signs in with address and password. An address nobody has costs as much time as a wrong password. */
export async function signInWithPassword(
  { pool, throttle, passwords }: Services,
  { email, password }: { readonly email: string; readonly password: string },
  call: Pick<Call<unknown, unknown, unknown>, 'client' | 'cookies'>,
): Promise<SignIn | Refusal> {
  const byAddress = { rule: THROTTLES.signInAddress, subject: call.client.address ?? '' };
  const byAccount = { rule: THROTTLES.signInAccount, subject: email };
  const waitMs = await throttle.attempt(byAddress, byAccount);
  if (waitMs > 0) return tooManyAttempts(waitMs);
  const person = await personOfEmail(pool, email);
  const { right, renewed } = await passwords.compare(password, person?.passwordHash ?? null);
  if (person === undefined || !right) return signInRefused();
  const signIn = await inTransaction(pool, async (client) => {
    // Locked until the session is there: a password that was just reset signs in nobody who knew the old one.
    const { rowCount } = await client.query(
      'select from person where id = $1 and password_hash = $2 for no key update',
      [person.id, person.passwordHash],
    );
    if (rowCount !== 1) return undefined;
    if (renewed !== undefined) {
      await client.query('update person set password_hash = $2 where id = $1', [person.id, renewed]);
    }
    return completeFirstFactor(client, person.id, 'password', call);
  });
  if (signIn === undefined) return signInRefused();
  await throttle.forget(byAccount);
  await throttle.refund(byAddress);
  return signIn;
}
