import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
} from '@simplewebauthn/server';
import type pg from 'pg';
import { type AssertionPurpose, CHALLENGE_MINUTES, issueChallenge, takeChallenge } from './challenges.ts';
import type { RelyingParty } from './relying-party.ts';
import type { AuthenticationResponse } from './responses.ts';
import { personIdOf } from './user-handle.ts';

/** For a sign-in by passkey alone: whichever passkey the browser offers, with the device's own check of its user. */
export async function signInOptions(
  pool: pg.Pool,
  party: RelyingParty,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: party.id,
    challenge: await issueChallenge(pool, { purpose: 'sign_in' }),
    timeout: CHALLENGE_MINUTES * 60_000,
    userVerification: 'required',
  });
}

/** For the second step of a sign-in: one of this person's passkeys; having it is enough. */
export async function secondFactorOptions(
  pool: pg.Pool,
  party: RelyingParty,
  personId: string,
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { rows } = await pool.query<{ credential_id: Buffer; transports: string[] }>(
    'select credential_id, transports from passkey where person_id = $1',
    [personId],
  );
  return generateAuthenticationOptions({
    rpID: party.id,
    challenge: await issueChallenge(pool, { purpose: 'second_factor', personId }),
    timeout: CHALLENGE_MINUTES * 60_000,
    userVerification: 'discouraged',
    allowCredentials: rows.map((row) => ({
      id: row.credential_id.toString('base64url'),
      transports: row.transports as AuthenticatorTransportNames,
    })),
  });
}

type AuthenticatorTransportNames = NonNullable<
  NonNullable<Parameters<typeof generateAuthenticationOptions>[0]['allowCredentials']>[number]['transports']
>;

/** Whose passkey answered; undefined when the answer is not right in every respect. */
export async function personOfAssertion(
  pool: pg.Pool,
  party: RelyingParty,
  of: AssertionPurpose,
  response: AuthenticationResponse,
): Promise<string | undefined> {
  const expectedChallenge = await takeChallenge(pool, response.response.clientDataJSON, of);
  if (expectedChallenge === undefined) return undefined;
  const { rows } = await pool.query<Stored>(
    'select id, person_id, public_key, counter from passkey where credential_id = $1',
    [Buffer.from(response.id, 'base64url')],
  );
  const passkey = rows[0];
  if (passkey === undefined || !belongs(passkey.person_id, of, response.response.userHandle)) return undefined;
  const verified = await verifyAuthenticationResponse({
    response: response as AuthenticationResponseJSON,
    expectedChallenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: of.purpose === 'sign_in',
    credential: {
      id: response.id,
      publicKey: Uint8Array.from(passkey.public_key),
      counter: Number(passkey.counter),
    },
    // It throws at whatever is wrong with the answer, and asks nobody else: nothing here is a failure of ours.
  }).catch(() => ({ verified: false }) as const);
  if (!verified.verified || !('authenticationInfo' in verified)) return undefined;
  // Once more in the database: of two answers at the same time with the same counter, one is a copy's.
  const { rowCount } = await pool.query(
    `update passkey set counter = $2, last_used_at = now()
     where id = $1 and (counter < $2 or (counter = 0 and $2 = 0))`,
    [passkey.id, verified.authenticationInfo.newCounter],
  );
  return rowCount === 1 ? passkey.person_id : undefined;
}

type Stored = {
  readonly id: string;
  readonly person_id: string;
  readonly public_key: Buffer;
  readonly counter: bigint;
};

/** Without a name typed in, only the user handle says who the browser thinks it is: it must be there and be the owner. */
function belongs(owner: string, of: AssertionPurpose, userHandle: string | null | undefined): boolean {
  if (of.purpose !== 'sign_in') return owner === of.personId;
  return typeof userHandle === 'string' && personIdOf(userHandle) === owner;
}
