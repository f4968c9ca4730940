import type pg from 'pg';
import { z } from 'zod';
import type { ProvedIdentity } from './provider.ts';
import { ProviderName } from './settings.ts';

/** An account at a provider that a person signs in with. */
export type LinkedIdentity = {
  readonly provider: ProviderName;
  readonly email: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
};

const Row = z
  .object({ provider: ProviderName, email: z.string(), created_at: z.date(), last_used_at: z.date() })
  .transform(({ provider, email, created_at, last_used_at }): LinkedIdentity => {
    return { provider, email, createdAt: created_at, lastUsedAt: last_used_at };
  });

/** What an identity is known by. */
type Key = Pick<ProvedIdentity, 'provider' | 'subject' | 'email'>;

/** Whose identity it is; notes that it was used, and under which address. */
export async function ownerOfIdentity(client: pg.ClientBase | pg.Pool, identity: Key): Promise<string | undefined> {
  const { rows } = await client.query<{ person_id: string }>(
    `update identity set last_used_at = now(), email = $3 where provider = $1 and subject = $2 returning person_id`,
    [identity.provider, identity.subject, identity.email],
  );
  return rows[0]?.person_id;
}

/**
 * Makes it one of this person's.
 * @returns `linked` also when it was theirs before; `identity_taken` when another has it; `provider_linked` when this
 * person has another account of the same provider
 */
export async function linkIdentity(
  client: pg.ClientBase,
  personId: string,
  identity: Key,
): Promise<'linked' | 'already' | 'identity_taken' | 'provider_linked'> {
  const { rowCount } = await client.query(
    `insert into identity (provider, subject, person_id, email) values ($1, $2, $3, $4) on conflict do nothing`,
    [identity.provider, identity.subject, personId, identity.email],
  );
  if (rowCount === 1) return 'linked';
  const { rows } = await client.query<{ person_id: string }>(
    'select person_id from identity where provider = $1 and subject = $2',
    [identity.provider, identity.subject],
  );
  if (rows[0] === undefined) return 'provider_linked';
  return rows[0].person_id === personId ? 'already' : 'identity_taken';
}

/** A person's identities. There is at most one of each provider. */
export async function listIdentities(pool: pg.Pool, personId: string): Promise<LinkedIdentity[]> {
  const { rows } = await pool.query('select * from identity where person_id = $1 order by provider', [personId]);
  return rows.map((row) => Row.parse(row));
}

/** Ends the one that a person has at this provider. */
export async function unlinkIdentity(client: pg.ClientBase, personId: string, provider: ProviderName): Promise<void> {
  await client.query('delete from identity where person_id = $1 and provider = $2', [personId, provider]);
}
