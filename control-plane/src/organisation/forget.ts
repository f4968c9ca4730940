import type pg from 'pg';

/** Forgets who belonged to a tenant that is erased; the ledger keeps members as ids, without a name. */
export async function forgetOrganisation(client: pg.ClientBase, tenant: bigint): Promise<void> {
  await client.query('delete from membership where tenant_id = $1', [tenant]);
  await client.query('delete from invitation where tenant_id = $1', [tenant]);
  await client.query('delete from tenant_owner where tenant_id = $1', [tenant]);
  await client.query('delete from tenant_status where tenant_id = $1', [tenant]);
  await client.query(
    `update member set external_id = null, former_external_id = null, removed_person_id = null, email = null, name = null
     where tenant_id = $1`,
    [tenant],
  );
}
