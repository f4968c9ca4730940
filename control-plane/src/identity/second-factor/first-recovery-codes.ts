import type pg from 'pg';
import type { Vault } from '../../crypto/vault.ts';
import { enrolledSecondFactors } from './enrolled.ts';
import { issueRecoveryCodes } from './recovery-codes.ts';

/** Recovery codes come with the first second factor: whoever loses it must not be locked out. Null when there are some. */
export async function firstRecoveryCodes(
  client: pg.ClientBase,
  vault: Vault,
  personId: string,
): Promise<string[] | null> {
  const factors = await enrolledSecondFactors(client, personId);
  return factors.includes('recovery') ? null : issueRecoveryCodes(client, vault, personId);
}

/** They go with the last one: alone they stand in for nothing. */
export async function dropNeedlessRecoveryCodes(client: pg.ClientBase, personId: string): Promise<void> {
  if ((await enrolledSecondFactors(client, personId)).length > 0) return;
  await client.query('delete from recovery_code where person_id = $1', [personId]);
}
