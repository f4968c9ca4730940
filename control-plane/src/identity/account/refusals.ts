import { type Problem, problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';

/** An answer that says why not. */
export type Refusal = Answer & { readonly body: Problem };

/** Wrong password, unknown or unconfirmed address: which of them is told to nobody. */
export function signInRefused(): Refusal {
  const detail = 'this address and password do not belong together, or the address is not confirmed yet';
  return { status: 401, body: problem(401, 'sign_in_refused', detail), headers: { 'www-authenticate': 'Bearer' } };
}

/** The password was right, and still. */
export function accountLocked(): Refusal {
  const detail = 'this account was locked by an administrator; write to them';
  return { status: 403, body: problem(403, 'account_locked', detail) };
}

export function tokenUnknown(): Refusal {
  const detail = 'this link was used already, has expired, or is not whole; ask for a new mail';
  return { status: 404, body: problem(404, 'token_unknown', detail) };
}

/** One field of the body is not acceptable, for a reason no schema can know. */
export function unacceptable(path: string, message: string): Refusal {
  const errors = [{ path, message }];
  return { status: 422, body: problem(422, 'invalid_input', `${path}: ${message}`, { errors }) };
}
