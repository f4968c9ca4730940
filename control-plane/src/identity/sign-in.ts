import type pg from 'pg';
import { z } from 'zod';
import { hashToken, newToken } from '../crypto/token.ts';
import type { Call } from '../http/route.ts';
import { enrolledSecondFactors, type SecondFactor } from './second-factor/enrolled.ts';
import { SESSION_COOKIE, sessionCookie } from './session/session-cookie.ts';
import { openSession, SignInMethod } from './session/sessions.ts';

/** Minutes a person has for the second factor once the first was right. */
export const PENDING_MINUTES = 10;
/** Wrong second factors after which one starts over with the first. */
export const MAX_PENDING_ATTEMPTS = 5;

/** What a person can begin with. The second factors that are no first one are left out. */
export type FirstFactor = Exclude<SignInMethod, 'totp' | 'recovery'>;

/** What a sign-in came to. Every way to sign in ends in one of these. */
export type SignIn =
  | { readonly kind: 'signed_in'; readonly personId: string; readonly sessionId: string; readonly cookie: string }
  | {
      readonly kind: 'second_factor_required';
      /** Opens the second step and nothing else. */
      readonly pendingToken: string;
      readonly methods: readonly SecondFactor[];
      readonly expiresAt: Date;
    }
  /** The person may not sign in: locked by an admin, or erased. */
  | { readonly kind: 'locked' };

/** What of a call a sign-in looks at. */
export type SignInCall = Pick<Call<unknown, unknown, unknown>, 'client' | 'cookies'>;

/**
 * The one door that every first factor leads to: password, provider, passkey, confirmation. Whoever proved a first factor
 * is signed in here, or is asked for the second: no way of signing in can go around it.
 *
 * `passkey` means a passkey for which the device has checked its user (a PIN, a finger): it is both factors at once.
 * Run it in the transaction that checked the factor, so that a password that changes meanwhile lets nobody in.
 */
export async function completeFirstFactor(
  client: pg.ClientBase,
  personId: string,
  method: FirstFactor,
  call: SignInCall,
): Promise<SignIn> {
  if (!(await maySignIn(client, personId))) return { kind: 'locked' };
  const methods = method === 'passkey' ? [] : await enrolledSecondFactors(client, personId);
  if (methods.length === 0) return signIn(client, personId, [method], call);
  const pendingToken = newToken();
  const { rows } = await client.query<{ expires_at: Date }>(
    `insert into pending_sign_in (token_sha256, person_id, methods, expires_at)
     values ($1, $2, $3, clock_timestamp() + make_interval(mins => $4)) returning expires_at`,
    [hashToken(pendingToken), personId, [method], PENDING_MINUTES],
  );
  const expiresAt = rows[0]?.expires_at ?? new Date(0);
  return { kind: 'second_factor_required', pendingToken, methods, expiresAt };
}

const Pending = z
  .object({ person_id: z.uuid(), methods: z.array(SignInMethod) })
  .transform(({ person_id, methods }) => ({ personId: person_id, methods }));
/** A sign-in that waits for its second factor. */
export type PendingSignIn = z.output<typeof Pending>;

/** Whose pending sign-in this is; undefined when it is unknown, expired or used up. For challenges; it counts nothing. */
export async function readPendingSignIn(pool: pg.Pool, pendingToken: string): Promise<PendingSignIn | undefined> {
  const { rows } = await pool.query(
    `select person_id, methods from pending_sign_in
     where token_sha256 = $1 and expires_at > clock_timestamp() and attempts < $2`,
    [hashToken(pendingToken), MAX_PENDING_ATTEMPTS],
  );
  return rows[0] === undefined ? undefined : Pending.parse(rows[0]);
}

/**
 * Counts an attempt at the second factor, before it is made: parallel ones cannot outrun the limit.
 * @returns undefined when the pending sign-in is unknown, expired or used up
 */
export async function attemptSecondFactor(pool: pg.Pool, pendingToken: string): Promise<PendingSignIn | undefined> {
  const { rows } = await pool.query(
    `update pending_sign_in set attempts = attempts + 1
     where token_sha256 = $1 and expires_at > clock_timestamp() and attempts < $2 returning person_id, methods`,
    [hashToken(pendingToken), MAX_PENDING_ATTEMPTS],
  );
  return rows[0] === undefined ? undefined : Pending.parse(rows[0]);
}

/**
 * Ends a pending sign-in whose second factor was right. It works once: of two at the same time, one gets undefined.
 */
export async function completeSecondFactor(
  client: pg.ClientBase,
  pendingToken: string,
  method: SecondFactor,
  call: SignInCall,
): Promise<SignIn | undefined> {
  const { rows } = await client.query(
    `delete from pending_sign_in where token_sha256 = $1 and expires_at > clock_timestamp() returning person_id, methods`,
    [hashToken(pendingToken)],
  );
  if (rows[0] === undefined) return undefined;
  const { personId, methods } = Pending.parse(rows[0]);
  if (!(await maySignIn(client, personId))) return { kind: 'locked' };
  return signIn(client, personId, [...methods, method], call);
}

/** Locks the person against a change of password or state until the caller's transaction ends. */
async function maySignIn(client: pg.ClientBase, personId: string): Promise<boolean> {
  const { rows } = await client.query<{ active: boolean }>(
    `select state = 'active' as active from person where id = $1 for share`,
    [personId],
  );
  return rows[0]?.active ?? false;
}

async function signIn(
  client: pg.ClientBase,
  personId: string,
  methods: readonly SignInMethod[],
  { client: from, cookies }: SignInCall,
): Promise<SignIn> {
  const { id, token } = await openSession(client, personId, methods, from);
  // A browser gets a fresh token with every sign-in, and the one it had ends: whoever planted or saw it has nothing.
  const before = cookies.get(SESSION_COOKIE);
  if (before !== undefined) {
    const text = 'update session set revoked_at = now() where token_sha256 = $1 and revoked_at is null';
    await client.query(text, [hashToken(before)]);
  }
  return { kind: 'signed_in', personId, sessionId: id, cookie: sessionCookie(token) };
}
