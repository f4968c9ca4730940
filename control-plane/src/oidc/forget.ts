import type pg from 'pg';

/** Forgets who came into the chat of a tenant that is erased, and the chat's secret. After its memberships have gone. */
export async function forgetChat(client: pg.ClientBase, tenant: bigint): Promise<void> {
  await client.query('delete from chat_sign_in where tenant_id = $1', [tenant]);
  await client.query('delete from oidc_logout where tenant_id = $1', [tenant]);
  await client.query('delete from oidc_client where tenant_id = $1', [tenant]);
}
