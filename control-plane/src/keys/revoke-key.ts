import type pg from 'pg';

/**
 * Ends a key for ever; the gateway refuses it from now on. The chat's own key is the operator's: it changes with the
 * tenant's registration only. @returns its row, also where it was revoked before; undefined: there is no such key
 */
export async function revokeKey(
  client: pg.ClientBase | pg.Pool,
  which: { readonly tenantId: bigint; readonly keyId: string; readonly personId?: string },
): Promise<unknown> {
  const { rows } = await client.query(
    `update api_key set revoked_at = coalesce(revoked_at, clock_timestamp())
     where id = $1 and tenant_id = $2 and kind = 'api' and ($3::uuid is null or person_id = $3) returning *`,
    [which.keyId, which.tenantId, which.personId ?? null],
  );
  return rows[0];
}
