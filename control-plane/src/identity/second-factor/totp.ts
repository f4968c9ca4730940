import { Secret, TOTP } from 'otpauth';
import type pg from 'pg';
import type { Vault } from '../../crypto/vault.ts';

/** What authenticator apps expect: SHA-1, six digits, half a minute. Others are ignored by some of them. */
const ALGORITHM = 'SHA1';
const DIGITS = 6;
const PERIOD_SECONDS = 30;
/** Time steps a clock may be off, either way. */
const WINDOW_STEPS = 1;
const SECRET_BYTES = 20;
/** Minutes a secret that was shown waits for its first code. */
const ENROLMENT_MINUTES = 15;
const ISSUER = 'CloudFreedom';
/** Of the vault. The person is its context: a sealed secret copied into another's row does not open. */
const PURPOSE = 'totp';

export const TOTP_CODE = /^[0-9]{6}$/;

/** What the person gives to the app: the address that the square shows, and the secret in it for typing. */
export type TotpEnrolment = { readonly otpauthUrl: string; readonly secret: string };

/** Makes a secret that waits for its first code; undefined when one is in use already. */
export async function startTotpEnrolment(
  pool: pg.Pool,
  vault: Vault,
  person: { readonly id: string; readonly email: string },
): Promise<TotpEnrolment | undefined> {
  const secret = new Secret({ size: SECRET_BYTES });
  const { rowCount } = await pool.query(
    `insert into totp (person_id, secret) values ($1, $2)
     on conflict (person_id) do update set secret = excluded.secret, created_at = now(), last_step = 0
     where totp.confirmed_at is null`,
    [person.id, vault.seal(PURPOSE, secret.base32, person.id)],
  );
  if (rowCount === 0) return undefined;
  return { otpauthUrl: generator(secret, person.email).toString(), secret: secret.base32 };
}

/** The first right code makes the secret count; that code is used up with it. */
export async function confirmTotpEnrolment(
  client: pg.ClientBase,
  vault: Vault,
  personId: string,
  code: string,
  now: Date,
): Promise<boolean> {
  const { rows } = await client.query<{ secret: Buffer }>(
    `select secret from totp where person_id = $1 and confirmed_at is null
       and created_at > now() - $2 * interval '1 minute'`,
    [personId, ENROLMENT_MINUTES],
  );
  const step = rows[0] && stepOf(vault, personId, rows[0].secret, code, now);
  if (step === undefined) return false;
  // The same secret as was read: a second enrolment that began meanwhile is not confirmed by a code of the first.
  const { rowCount } = await client.query(
    `update totp set confirmed_at = now(), last_step = $3
     where person_id = $1 and secret = $2 and confirmed_at is null`,
    [personId, rows[0]?.secret, step],
  );
  return rowCount === 1;
}

/** Whether a code is right; then its time step and all before it are used up, on every replica. */
export async function useTotpCode(
  client: pg.ClientBase | pg.Pool,
  vault: Vault,
  personId: string,
  code: string,
  now: Date,
): Promise<boolean> {
  const { rows } = await client.query<{ secret: Buffer }>(
    'select secret from totp where person_id = $1 and confirmed_at is not null',
    [personId],
  );
  const step = rows[0] && stepOf(vault, personId, rows[0].secret, code, now);
  if (step === undefined) return false;
  const { rowCount } = await client.query(
    'update totp set last_step = $2 where person_id = $1 and confirmed_at is not null and last_step < $2',
    [personId, step],
  );
  return rowCount === 1;
}

/** Ends the use of the app; false when there was none. */
export async function removeTotp(client: pg.ClientBase, personId: string): Promise<boolean> {
  const { rows } = await client.query<{ confirmed: boolean }>(
    'delete from totp where person_id = $1 returning confirmed_at is not null as confirmed',
    [personId],
  );
  return rows[0]?.confirmed === true;
}

function stepOf(vault: Vault, personId: string, sealed: Buffer, code: string, now: Date): number | undefined {
  const secret = Secret.fromBase32(vault.open(PURPOSE, sealed, personId));
  const timestamp = now.getTime();
  const delta = generator(secret, '').validate({ token: code, timestamp, window: WINDOW_STEPS });
  return delta === null ? undefined : TOTP.counter({ period: PERIOD_SECONDS, timestamp }) + delta;
}

function generator(secret: Secret, label: string): TOTP {
  return new TOTP({ issuer: ISSUER, label, algorithm: ALGORITHM, digits: DIGITS, period: PERIOD_SECONDS, secret });
}
