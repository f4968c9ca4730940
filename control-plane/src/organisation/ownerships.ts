import type pg from 'pg';
import { z } from 'zod';
import { setRole } from './change-role.ts';
import { join } from './join.ts';
import { hasOtherOwner, readMembership } from './membership.ts';
import { lockSeats, type Seated, type SeatedTenant } from './seats.ts';

/*
 * A Tenant names its owners by address, whoever wrote it: the portal, kubectl or Git. Each address is an offer that is
 * taken up once, by the person who has confirmed it: at the tenant's registration where there is one, else at the
 * confirmation. Both sides lock the address first, so neither can miss the other.
 */

const Owner = z.object({ id: z.uuid(), email: z.string(), name: z.string().nullable() });
const Offer = z.object({ id: z.bigint(), account: z.bigint() });

/** Locks the offers of these addresses until the transaction ends. Before any tenant's row or balance is locked. */
export async function lockOwnerships(client: pg.ClientBase, addresses: readonly string[]): Promise<void> {
  for (const address of [...new Set(addresses.map((each) => each.toLowerCase()))].sort()) {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`owner/${address}`]);
  }
}

/**
 * Makes a tenant's offers what its registration says, and lets those who are there take them up. Whoever took one up
 * and is no longer named stays as admin, as long as an owner remains. After `lockOwnerships`.
 */
export async function offerOwnerships(
  client: pg.ClientBase,
  tenant: SeatedTenant,
  addresses: readonly string[],
): Promise<void> {
  const named = [...new Set(addresses.map((each) => each.toLowerCase()))];
  const { rows: dropped } = await client.query<{ person_id: string | null }>(
    'delete from tenant_owner where tenant_id = $1 and address <> all($2) returning person_id',
    [tenant.id, named],
  );
  await client.query(
    'insert into tenant_owner (tenant_id, address) select $1, unnest($2::text[]) on conflict do nothing',
    [tenant.id, named],
  );
  await lockSeats(client, tenant);
  const { rows: people } = await client.query(
    `select p.id, p.email, p.name from tenant_owner o join person p on lower(p.email) = o.address
     where o.tenant_id = $1 and o.person_id is null and p.state = 'active' and p.email_verified_at is not null
     order by p.id`,
    [tenant.id],
  );
  for (const row of people) await takeUp(client, tenant, Owner.parse(row));
  for (const { person_id } of dropped) if (person_id !== null) await stepDown(client, tenant, person_id);
}

/**
 * Lets a person take up what was offered to their address. To be called in the transaction that confirms the address,
 * after it: at registration and at a change of address.
 */
export async function adoptOwnerships(client: pg.ClientBase, personId: string): Promise<void> {
  const { rows: found } = await client.query(
    `select id, email, name from person where id = $1 and state = 'active' and email_verified_at is not null`,
    [personId],
  );
  if (found[0] === undefined) return;
  const person = Owner.parse(found[0]);
  await lockOwnerships(client, [person.email]);
  await followAddress(client, person);
  const { rows } = await client.query(
    `select t.id, a.id as account from tenant_owner o join tenant t on t.id = o.tenant_id join account a on a.tenant_id = t.id
     where o.address = lower($1) and o.person_id is null and t.state <> 'erased' order by a.id`,
    [person.email],
  );
  for (const row of rows) {
    const tenant = Offer.parse(row);
    await lockSeats(client, tenant);
    await takeUp(client, tenant, person);
  }
}

async function takeUp(client: pg.ClientBase, tenant: SeatedTenant, person: Seated): Promise<void> {
  const { rowCount } = await client.query(
    `update tenant_owner set person_id = $3, taken_up_at = now()
     where tenant_id = $1 and address = lower($2) and person_id is null`,
    [tenant.id, person.email, person.id],
  );
  if (rowCount === 0) return;
  const membership = await readMembership(client, tenant.id, person.id);
  if (membership === undefined) await join(client, tenant.id, person, 'owner', { seatless: true });
  else if (membership.role !== 'owner') await setRole(client, tenant.id, person.id, 'owner', { seatless: true });
}

async function stepDown(client: pg.ClientBase, tenant: SeatedTenant, person: string): Promise<void> {
  const membership = await readMembership(client, tenant.id, person);
  if (membership?.role !== 'owner' || !(await hasOtherOwner(client, tenant.id, person))) return;
  await setRole(client, tenant.id, person, 'admin');
}

/** The seats of someone whose address has changed carry the new one, for the chat finds people by it. */
async function followAddress(client: pg.ClientBase, person: Seated): Promise<void> {
  await client.query(
    `update member m set email = $2 from membership s
     where s.person_id = $1 and m.id = s.member_id and m.email is distinct from $2
       and not exists (select 1 from member o where o.tenant_id = m.tenant_id and o.id <> m.id and lower(o.email) = lower($2))`,
    [person.id, person.email],
  );
}
