import type pg from 'pg';
import type { Vault } from '../crypto/vault.ts';
import { openEnvelope } from '../mail/outbox.ts';

/** Mails looked into at most: those that wait are sent within moments, so there are few. */
const MAX_WAITING = 10_000;

/** Drops what is about to be sent to an address. Mails are sealed, so each that waits is opened. */
export async function dropMailsTo(client: pg.PoolClient, vault: Vault, address: string): Promise<void> {
  const { rows } = await client.query<{ id: string; sealed: Buffer }>(
    `select id, sealed from mail where state = 'pending' order by id limit $1 for update skip locked`,
    [MAX_WAITING],
  );
  const ids = rows
    .filter(({ id, sealed }) => openEnvelope(vault, id, sealed).to.toLowerCase() === address.toLowerCase())
    .map(({ id }) => id);
  await client.query(
    `update mail set state = 'dropped', sealed = null, taken_until = null, ended_at = now() where id = any($1)`,
    [ids],
  );
}
