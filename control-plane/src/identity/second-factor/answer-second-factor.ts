import type pg from 'pg';
import { inTransaction } from '../../database/pool.ts';
import { problem } from '../../http/problem.ts';
import type { Services } from '../../services.ts';
import { personOfId } from '../account/people.ts';
import type { Refusal } from '../account/refusals.ts';
import { personOfAssertion } from '../passkey/authenticate.ts';
import { relyingPartyOf } from '../passkey/relying-party.ts';
import type { AuthenticationResponse } from '../passkey/responses.ts';
import {
  attemptSecondFactor,
  completeSecondFactor,
  readPendingSignIn,
  type SignIn,
  type SignInCall,
} from '../sign-in.ts';
import { tellOfSignInChange } from '../tell-person.ts';
import { THROTTLES, tooManyAttempts } from '../throttle.ts';
import { useRecoveryCode } from './recovery-codes.ts';
import { useTotpCode } from './totp.ts';

/** What somebody answers when the second factor is asked for. */
export type SecondFactorAnswer =
  | { readonly method: 'totp' | 'recovery'; readonly code: string }
  | { readonly method: 'passkey'; readonly assertion: AuthenticationResponse };

/**
 * Ends a pending sign-in by its second factor. An attempt is counted twice before it is looked at: for this sign-in,
 * which a few wrong ones end, and for the person, so that starting over does not help a guesser.
 */
export async function answerSecondFactor(
  services: Services,
  pendingToken: string,
  answer: SecondFactorAnswer,
  call: SignInCall,
): Promise<SignIn | Refusal> {
  const { pool, throttle } = services;
  const pending = await readPendingSignIn(pool, pendingToken);
  if (pending === undefined) return signInExpired();
  const attempt = { rule: THROTTLES.secondFactorAccount, subject: pending.personId };
  const waitMs = await throttle.attempt(attempt);
  if (waitMs > 0) return tooManyAttempts(waitMs);
  if ((await attemptSecondFactor(pool, pendingToken)) === undefined) return signInExpired();
  if (!(await passkeyHolds(services, pending.personId, answer))) return secondFactorRefused();
  const result = await inTransaction(pool, async (client) => {
    if (!(await codeHolds(services, client, pending.personId, answer))) return secondFactorRefused();
    const signIn = await completeSecondFactor(client, pendingToken, answer.method, call);
    return signIn ?? signInExpired();
  });
  if ('kind' in result && result.kind === 'signed_in') await throttle.forget(attempt);
  return result;
}

/** Before the transaction, since the challenge is used up also where the answer is wrong. True for other methods. */
async function passkeyHolds(
  { pool, portalUrl }: Services,
  personId: string,
  answer: SecondFactorAnswer,
): Promise<boolean> {
  if (answer.method !== 'passkey') return true;
  const purpose = { purpose: 'second_factor', personId } as const;
  return (await personOfAssertion(pool, relyingPartyOf(portalUrl), purpose, answer.assertion)) === personId;
}

/** In the transaction that signs in: a code is used up by a sign-in that happened. True for other methods. */
async function codeHolds(
  services: Services,
  client: pg.ClientBase,
  personId: string,
  answer: SecondFactorAnswer,
): Promise<boolean> {
  const { vault } = services;
  if (answer.method === 'passkey') return true;
  if (answer.method === 'totp') return useTotpCode(client, vault, personId, answer.code, services.now());
  if (!(await useRecoveryCode(client, vault, personId, answer.code))) return false;
  const person = await personOfId(client, personId);
  if (person !== undefined) await tellOfSignInChange(client, services, person, 'recovery_code_used');
  return true;
}

/** The pending sign-in is over, whether by time, by success or by too many wrong answers. */
export function signInExpired(): Refusal {
  const detail = 'this sign-in has ended; begin again with the first step';
  return { status: 401, body: problem(401, 'sign_in_expired', detail), headers: { 'www-authenticate': 'Bearer' } };
}

function secondFactorRefused(): Refusal {
  const detail = 'this is not right, or was used before; try again with a fresh code';
  const body = problem(401, 'second_factor_refused', detail);
  return { status: 401, body, headers: { 'www-authenticate': 'Bearer' } };
}
