import {
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import type pg from 'pg';
import { CHALLENGE_MINUTES, issueChallenge, takeChallenge } from './challenges.ts';
import { type Passkey, passkeyOf } from './passkeys.ts';
import type { RelyingParty } from './relying-party.ts';
import type { RegistrationResponse } from './responses.ts';
import { userHandleOf } from './user-handle.ts';

/** Passkeys one person may have. */
export const MAX_PASSKEYS = 20;

/** Ed25519, ECDSA with P-256, and RSA for older Windows: what every authenticator in use knows one of (COSE's numbers). */
const ALGORITHMS = [-8, -7, -257];

/** What the browser needs to make a passkey for this person. */
export async function registrationOptions(
  pool: pg.Pool,
  party: RelyingParty,
  person: { readonly id: string; readonly email: string; readonly name: string },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { rows } = await pool.query<{ credential_id: Buffer; transports: string[] }>(
    'select credential_id, transports from passkey where person_id = $1',
    [person.id],
  );
  return generateRegistrationOptions({
    rpID: party.id,
    rpName: party.name,
    userID: userHandleOf(person.id),
    userName: person.email,
    userDisplayName: person.name,
    challenge: await issueChallenge(pool, { purpose: 'register', personId: person.id }),
    timeout: CHALLENGE_MINUTES * 60_000,
    // Who made the device is none of our business.
    attestationType: 'none',
    supportedAlgorithmIDs: ALGORITHMS,
    excludeCredentials: rows.map((row) => ({
      id: row.credential_id.toString('base64url'),
      transports: row.transports,
    })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
  });
}

/** A passkey whose making was verified. */
export type NewPasskey = {
  readonly credentialId: Buffer;
  readonly publicKey: Buffer;
  readonly counter: number;
  readonly transports: readonly string[];
};

/** Why a passkey was not kept. */
export type RegistrationRefusal = 'challenge_unknown' | 'passkey_refused' | 'passkey_known' | 'too_many_passkeys';

/** Whether an answer of the browser is a passkey made for this person, this portal and a challenge of ours. */
export async function verifyRegistration(
  pool: pg.Pool,
  party: RelyingParty,
  personId: string,
  response: RegistrationResponse,
): Promise<NewPasskey | RegistrationRefusal> {
  const purpose = { purpose: 'register', personId } as const;
  const expectedChallenge = await takeChallenge(pool, response.response.clientDataJSON, purpose);
  if (expectedChallenge === undefined) return 'challenge_unknown';
  const verified = await verifyRegistrationResponse({
    response: response as RegistrationResponseJSON,
    expectedChallenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: false,
    supportedAlgorithmIDs: ALGORITHMS,
    // It throws at whatever is wrong with the answer, and asks nobody else: nothing here is a failure of ours.
  }).catch(() => ({ verified: false }) as const);
  if (!verified.verified) return 'passkey_refused';
  const { credential } = verified.registrationInfo;
  return {
    credentialId: Buffer.from(credential.id, 'base64url'),
    publicKey: Buffer.from(credential.publicKey),
    counter: credential.counter,
    transports: response.response.transports ?? [],
  };
}

/** Keeps a passkey under the name its owner gave it. The caller holds the person's row, so that the limit holds. */
export async function storePasskey(
  client: pg.ClientBase,
  personId: string,
  name: string,
  passkey: NewPasskey,
): Promise<Passkey | RegistrationRefusal> {
  const { rows: known } = await client.query<{ count: number }>(
    'select count(*)::int as count from passkey where person_id = $1',
    [personId],
  );
  if ((known[0]?.count ?? 0) >= MAX_PASSKEYS) return 'too_many_passkeys';
  const { rows } = await client.query(
    `insert into passkey (person_id, credential_id, public_key, counter, transports, name)
     values ($1, $2, $3, $4, $5, $6) on conflict (credential_id) do nothing returning *`,
    [personId, passkey.credentialId, passkey.publicKey, passkey.counter, passkey.transports, name],
  );
  return rows[0] === undefined ? 'passkey_known' : passkeyOf(rows[0]);
}
