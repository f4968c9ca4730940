import type pg from 'pg';
import type { Vault } from '../crypto/vault.ts';

const PURPOSE = 'webhook';
/** Bytes of a secret that lies there as it is: from a version that did not seal. */
const PLAIN_BYTES = 32;

/** Seals a webhook's secret for its tenant. It signs, so it has to be read again. */
export function sealWebhookSecret(vault: Vault, tenant: string, secret: Buffer): Buffer {
  return vault.seal(PURPOSE, secret.toString('base64'), tenant);
}

export function openWebhookSecret(vault: Vault, tenant: string, stored: Buffer): Buffer {
  if (stored.length === PLAIN_BYTES) return stored;
  return Buffer.from(vault.open(PURPOSE, stored, tenant), 'base64');
}

/** Seals what an earlier version stored as it is. At every start; there is nothing to do at most of them. */
export async function sealWebhookSecrets(pool: pg.Pool, vault: Vault): Promise<void> {
  const { rows } = await pool.query<{ id: bigint; name: string; secret: Buffer }>(
    `select t.id, t.name, w.secret from webhook w join tenant t on t.id = w.tenant_id where octet_length(w.secret) = $1`,
    [PLAIN_BYTES],
  );
  for (const { id, name, secret } of rows) {
    const sealed = sealWebhookSecret(vault, name, secret);
    await pool.query('update webhook set secret = $2 where tenant_id = $1 and secret = $3', [id, sealed, secret]);
  }
}
