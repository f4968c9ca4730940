import type pg from 'pg';

/** A search through all texts that are nobody's in particular may take longer than a statement of a request. */
const ERASE_TIMEOUT = '5min';

/**
 * Forgets a person in every chain: what is set apart as theirs, and every other text with one of their mail addresses.
 * Their ids stay in the entries, and the chains still hold.
 * @param subjects ids of the person, of their seats and of invitations to them
 * @returns how many values went
 */
export async function eraseFromAudit(
  client: pg.PoolClient,
  subjects: readonly string[],
  mailAddresses: readonly string[],
): Promise<number> {
  await client.query(`set local statement_timeout = '${ERASE_TIMEOUT}'`);
  const { rowCount } = await client.query(
    `update audit_personal set value = null, salt = null, erased_at = now()
     where erased_at is null and (subject_id = any($1) or exists (
       select from unnest($2::text[]) pattern where value ~* pattern))`,
    [subjects, mailAddresses.map(patternOf)],
  );
  return rowCount ?? 0;
}

/** Forgets everyone in the chain of a tenant that was erased. */
export async function eraseChain(client: pg.PoolClient, tenant: bigint): Promise<void> {
  await client.query(`set local statement_timeout = '${ERASE_TIMEOUT}'`);
  await client.query(
    `update audit_personal set value = null, salt = null, erased_at = now()
     where chain_id = $1 and erased_at is null`,
    [tenant],
  );
}

/** The address as a whole: joanna@… is not anna@…. */
function patternOf(address: string): string {
  const escaped = address.replaceAll(/[^A-Za-z0-9@]/g, (character) => `\\${character}`);
  return `(^|[^a-z0-9._%+-])${escaped}($|[^a-z0-9.-])`;
}
