import type pg from 'pg';
import type { KeySecret } from './key-secret.ts';
import type { Scope } from './scopes.ts';

/** Keys that are neither revoked nor expired: of one person in one tenant, and service keys of one tenant. */
export const MAX_PERSONAL_KEYS = 20;
export const MAX_SERVICE_KEYS = 200;

export type KeyWish = {
  readonly tenantId: bigint;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date;
  /** Whose personal key it is. */
  readonly personId?: string;
  /** The seat whose sub-budget its calls count against. */
  readonly memberId?: string;
};

/** Stores a key and tells those who wait for events. @returns its row; undefined: there are as many as may be */
export async function issueKey(client: pg.PoolClient, wish: KeyWish, secret: KeySecret): Promise<unknown> {
  const { tenantId, personId = null } = wish;
  // Two that count at once would both find room for one.
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`keys/${tenantId}/${personId}`]);
  const chats = wish.scopes.includes('chat');
  const { rows } = await client.query<{ id: string }>(
    `insert into api_key (tenant_id, person_id, member_id, kind, name, scopes, expires_at, prefix, last_four,
       sha256, api_only_sha256)
     select $1, $2, $3, 'api', $4, $5, $6, $7, $8, $9, $10
     where $11 > (select count(*) from api_key where tenant_id = $1 and person_id is not distinct from $2
       and kind = 'api' and revoked_at is null and (expires_at is null or expires_at > now()))
     returning *`,
    [
      tenantId,
      personId,
      wish.memberId ?? null,
      wish.name,
      wish.scopes,
      wish.expiresAt,
      secret.prefix,
      secret.lastFour,
      chats ? secret.sha256 : null,
      chats ? null : secret.sha256,
      personId === null ? MAX_SERVICE_KEYS : MAX_PERSONAL_KEYS,
    ],
  );
  const row = rows[0];
  if (row !== undefined) {
    await client.query(`select event_append($1, 'key.created', jsonb_build_object('keyId', $2::uuid))`, [
      tenantId,
      row.id,
    ]);
  }
  return row;
}
