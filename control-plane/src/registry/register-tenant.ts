import type pg from 'pg';
import { z } from 'zod';
import type { TenantRegistration } from '../catalogue/registrations.ts';
import { inTransaction } from '../database/pool.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { storeClientSecret } from '../oidc/client-secret.ts';
import { lockOwnerships, offerOwnerships } from '../organisation/ownerships.ts';

export type RegisterOutcome =
  | { readonly outcome: 'created' | 'changed' | 'unchanged' }
  /** A hash is in use by another tenant: someone copied a credential. */
  | { readonly outcome: 'credential_taken' }
  | { readonly outcome: 'time_zone_unknown' };

const Stored = z.object({ id: z.bigint(), state: z.enum(['open', 'closed']), equal: z.boolean() });

const UNIQUE_VIOLATION = '23505';
const INVALID_PARAMETER = '22023';

/**
 * Makes the stored tenant what the operator wants it to be: registration, chat key, the period's plan grant. One
 * transaction; an equal registration writes nothing. A closed tenant of the name is taken up again with its balance.
 */
export async function registerTenant(
  pool: pg.Pool,
  ledger: Ledger,
  name: string,
  registration: TenantRegistration,
): Promise<RegisterOutcome> {
  try {
    return await inTransaction(pool, async (client): Promise<RegisterOutcome> => {
      // Two PUTs of a name that does not exist yet have no row to queue up at.
      await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`tenant/${name}`]);
      await lockOwnerships(client, registration.owners);
      // No stronger lock: requests, which hold the balance that is locked next, add rows that refer to the tenant.
      const { rows } = await client.query(
        `select id, state, registration = $2::jsonb as equal from tenant where name = $1 and state <> 'erased'
         for no key update`,
        [name, registration],
      );
      const stored = rows[0] === undefined ? undefined : Stored.parse(rows[0]);
      if (stored?.equal && stored.state === 'open') return { outcome: 'unchanged' };
      const id = await store(client, stored?.id, name, registration);
      await storeChatKey(client, id, Buffer.from(registration.chatKeySha256, 'hex'));
      await storeClientSecret(client, id, registration.oidc?.clientSecretSha256 ?? null);
      const account = await ledger.setPlan(client, id, BigInt(registration.monthlyBudgetNanoEur));
      await offerOwnerships(client, { id, account }, registration.owners);
      // Whoever wished it through us sees it as its owner from now on.
      await client.query('delete from tenant_request where name = $1', [name]);
      return { outcome: stored === undefined ? 'created' : 'changed' };
    });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === UNIQUE_VIOLATION) return { outcome: 'credential_taken' };
    if (code === INVALID_PARAMETER) return { outcome: 'time_zone_unknown' };
    throw error;
  }
}

async function store(
  client: pg.PoolClient,
  id: bigint | undefined,
  name: string,
  registration: TenantRegistration,
): Promise<bigint> {
  const credential = Buffer.from(registration.gatewayCredentialSha256, 'hex');
  const { timeZone, memberBudgetNanoEur, keyBudgetNanoEur, maxMembers } = registration;
  const limits = [memberBudgetNanoEur, keyBudgetNanoEur, maxMembers];
  const { rows } = await client.query<{ id: bigint }>(
    id === undefined
      ? `insert into tenant (name, registration, time_zone, gateway_credential, member_budget, key_budget, max_members)
         values ($1, $2, $3, $4, $5, $6, $7) returning id`
      : `update tenant set registration = $2, time_zone = $3, gateway_credential = $4, member_budget = $5,
           key_budget = $6, max_members = $7, state = 'open', revision = revision + 1, changed_at = now()
         where id = $1 returning id`,
    [id ?? name, registration, timeZone, credential, ...limits],
  );
  if (rows[0] === undefined) throw new Error(`tenant ${name} was not stored`);
  return rows[0].id;
}

async function storeChatKey(client: pg.PoolClient, tenant: bigint, sha256: Buffer): Promise<void> {
  await client.query(
    `update api_key set revoked_at = now() where tenant_id = $1 and kind = 'chat' and revoked_at is null and sha256 <> $2`,
    [tenant, sha256],
  );
  // A key that is another tenant's stays so: nothing is updated, and the unique index is not silently satisfied.
  const { rowCount } = await client.query(
    `insert into api_key (tenant_id, kind, name, sha256) values ($1, 'chat', 'Open WebUI', $2)
     on conflict (sha256) do update set revoked_at = null where api_key.tenant_id = $1 and api_key.kind = 'chat'`,
    [tenant, sha256],
  );
  if (rowCount === 0) throw Object.assign(new Error('the chat key is in use elsewhere'), { code: UNIQUE_VIOLATION });
}
