import { randomInt } from 'node:crypto';
import type pg from 'pg';
import type { Vault } from '../../crypto/vault.ts';

/** How many codes a person gets at a time. */
export const RECOVERY_CODES = 10;
/** Crockford's base32 without letters one takes for digits: ten of them are 50 bits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 10;
const GROUP_LENGTH = 5;

/** Letters that people write for a digit. */
const MISREAD: Record<string, string> = { O: '0', I: '1', L: '1' };

/** Replaces all codes of a person by fresh ones; they are shown this once. */
export async function issueRecoveryCodes(client: pg.ClientBase, vault: Vault, personId: string): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, newCode);
  await client.query('delete from recovery_code where person_id = $1', [personId]);
  await client.query('insert into recovery_code (person_id, hmac) select $1, unnest($2::bytea[])', [
    personId,
    codes.map((code) => keyed(vault, personId, code)),
  ]);
  return codes;
}

/** Whether a code is one of the person's unused ones; then it is used up. */
export async function useRecoveryCode(
  client: pg.ClientBase | pg.Pool,
  vault: Vault,
  personId: string,
  code: string,
): Promise<boolean> {
  const { rowCount } = await client.query(
    'update recovery_code set used_at = now() where person_id = $1 and hmac = $2 and used_at is null',
    [personId, keyed(vault, personId, code)],
  );
  return rowCount === 1;
}

/** How many are left. */
export async function recoveryCodesLeft(client: pg.ClientBase | pg.Pool, personId: string): Promise<number> {
  const { rows } = await client.query<{ left: number }>(
    'select count(*)::int as left from recovery_code where person_id = $1 and used_at is null',
    [personId],
  );
  return rows[0]?.left ?? 0;
}

function newCode(): string {
  const letters = Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${letters.slice(0, GROUP_LENGTH)}-${letters.slice(GROUP_LENGTH)}`;
}

/** 50 bits could be found from a plain hash, were the table stolen; without the vault's key they cannot. */
function keyed(vault: Vault, personId: string, code: string): Buffer {
  return vault.mac('recovery-code', `${personId}:${normalised(code)}`);
}

/** As it was printed, whatever case, spaces and look-alikes it is typed with. */
export function normalised(code: string): string {
  return code
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll(/[OIL]/g, (letter) => MISREAD[letter] ?? letter);
}
