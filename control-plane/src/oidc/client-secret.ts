import type pg from 'pg';
import { hashToken } from '../crypto/token.ts';
import { equalHashes } from '../crypto/vault.ts';

/** Minutes the secret before is good for when the operator has made another: the chat's pods roll one after the other. */
const PREVIOUS_MINUTES = 15;

/** Stores what the operator says of a tenant's client secret; `null` takes the client away. */
export async function storeClientSecret(
  client: pg.ClientBase,
  tenantId: bigint,
  sha256Hex: string | null,
): Promise<void> {
  if (sha256Hex === null) {
    await client.query('delete from oidc_client where tenant_id = $1', [tenantId]);
    return;
  }
  await client.query(
    `insert into oidc_client as c (tenant_id, secret_sha256) values ($1, $2)
     on conflict (tenant_id) do update set secret_sha256 = excluded.secret_sha256, previous_sha256 = c.secret_sha256,
       previous_until = now() + make_interval(mins => $3)
     where c.secret_sha256 <> excluded.secret_sha256`,
    [tenantId, Buffer.from(sha256Hex, 'hex'), PREVIOUS_MINUTES],
  );
}

/**
 * What the library calls the client's secret: hashes in hex, the present one first. It never sees a secret that it could
 * compare by itself.
 */
export type SecretHashes = string;

/** Whether `secret` is one of those the hashes are of. All are looked at, so the time taken tells nothing. */
export function isSecretOf(hashes: SecretHashes, secret: string): boolean {
  const given = hashToken(secret);
  const matches = hashes.split(',').map((hash) => equalHashes(Buffer.from(hash, 'hex'), given));
  return matches.includes(true);
}
