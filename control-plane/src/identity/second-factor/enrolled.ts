import type pg from 'pg';

/** The second factors there are. A recovery code stands in for the others and is never the only one. */
export type SecondFactor = 'totp' | 'passkey' | 'recovery';

/**
 * The second factors a person may answer with. Empty: the first is enough. An app or a passkey makes the second step
 * necessary; recovery codes alone do not.
 */
export async function enrolledSecondFactors(
  client: pg.ClientBase | pg.Pool,
  personId: string,
): Promise<readonly SecondFactor[]> {
  const { rows } = await client.query<{ totp: boolean; passkey: boolean; recovery: boolean }>(
    `select exists (select 1 from totp where person_id = $1 and confirmed_at is not null) as totp,
       exists (select 1 from passkey where person_id = $1) as passkey,
       exists (select 1 from recovery_code where person_id = $1 and used_at is null) as recovery`,
    [personId],
  );
  const has = rows[0] ?? { totp: false, passkey: false, recovery: false };
  if (!has.totp && !has.passkey) return [];
  return (['totp', 'passkey', 'recovery'] as const).filter((factor) => has[factor]);
}
