import { randomBytes } from 'node:crypto';
import type pg from 'pg';

/** Minutes an authenticator has to answer. */
export const CHALLENGE_MINUTES = 5;
const CHALLENGE_BYTES = 32;

/** What somebody proves with a passkey: who they are, or that they are the one who the first factor said. */
export type AssertionPurpose =
  | { readonly purpose: 'sign_in' }
  | { readonly purpose: 'second_factor'; readonly personId: string };

/** What a challenge was made for. A challenge answers nothing else, and for nobody else. */
export type ChallengePurpose = AssertionPurpose | { readonly purpose: 'register'; readonly personId: string };

/** A challenge that may be answered once. */
export async function issueChallenge(pool: pg.Pool, of: ChallengePurpose): Promise<Buffer<ArrayBuffer>> {
  const challenge = randomBytes(CHALLENGE_BYTES);
  await pool.query(
    `insert into passkey_challenge (challenge, purpose, person_id, expires_at)
     values ($1, $2, $3, now() + $4 * interval '1 minute')`,
    [challenge, of.purpose, personOf(of), CHALLENGE_MINUTES],
  );
  return challenge;
}

/**
 * Takes the challenge that an answer of the browser names; undefined when there is none of this purpose and person. It
 * is gone then, whether the answer turns out right or wrong.
 */
export async function takeChallenge(
  pool: pg.Pool,
  clientDataJson: string,
  of: ChallengePurpose,
): Promise<string | undefined> {
  const challenge = challengeIn(clientDataJson);
  if (challenge === undefined) return undefined;
  const { rowCount } = await pool.query(
    `delete from passkey_challenge where challenge = $1 and purpose = $2 and person_id is not distinct from $3
       and expires_at > now()`,
    [Buffer.from(challenge, 'base64url'), of.purpose, personOf(of)],
  );
  return rowCount === 1 ? challenge : undefined;
}

function personOf(of: ChallengePurpose): string | null {
  return of.purpose === 'sign_in' ? null : of.personId;
}

function challengeIn(clientDataJson: string): string | undefined {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientDataJson, 'base64url').toString());
    return typeof challenge === 'string' && /^[\w-]{43}$/.test(challenge) ? challenge : undefined;
  } catch {
    return undefined;
  }
}
