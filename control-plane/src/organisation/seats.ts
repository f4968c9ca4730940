import type pg from 'pg';
import { z } from 'zod';

/** A tenant as far as seats are concerned; its account's lock is the order in which they are taken. */
export type SeatedTenant = { readonly id: bigint; readonly account: bigint };

/** Whom a seat is for. */
export type Seated = { readonly id: string; readonly email: string; readonly name: string | null };

const Known = z.object({ id: z.uuid(), removed: z.boolean() });

/** Locks the seats of a tenant until the transaction ends: the lock under which the chat's newcomers get theirs, too. */
export async function lockSeats(client: pg.ClientBase, tenant: SeatedTenant): Promise<void> {
  await client.query('select from balance where account_id = $1 for update', [tenant.account]);
}

/** Whether the plan leaves a seat. */
export async function isSeatFree(client: pg.ClientBase | pg.Pool, tenant: bigint): Promise<boolean> {
  const { rows } = await client.query<{ free: boolean }>('select seat_is_free($1) as free', [tenant]);
  return rows[0]?.free === true;
}

/**
 * Gives a person a seat, under `lockSeats`. Whoever the chat or an administrator has brought in already keeps that one;
 * whoever was removed gets the former one back, with its history.
 * @returns the id of the seat; undefined when all are taken
 */
export async function takeSeat(client: pg.ClientBase, tenant: bigint, person: Seated): Promise<string | undefined> {
  const { rows } = await client.query(
    `select id, removed_at is not null as removed from member
     where tenant_id = $1 and (lower(email) = lower($2) or removed_person_id = $3)
     order by removed_at nulls first limit 1`,
    [tenant, person.email, person.id],
  );
  const known = rows[0] === undefined ? undefined : Known.parse(rows[0]);
  if (known !== undefined && !known.removed) return known.id;
  if (!(await isSeatFree(client, tenant))) return undefined;
  return known === undefined ? newSeat(client, tenant, person) : revive(client, tenant, known.id, person);
}

/**
 * Frees a seat, under `lockSeats`: the row stays as the ledger's, the chat account is set aside, keys end. The chat is
 * told to end the person's sessions by the membership's own triggers: it goes, or its role has no seat any more.
 */
export async function freeSeat(client: pg.ClientBase, tenant: bigint, seat: string, person: string): Promise<void> {
  await client.query(
    `update member set removed_at = now(), removed_person_id = $2, former_external_id = external_id, external_id = null
     where id = $1 and removed_at is null`,
    [seat, person],
  );
  // Those that the administration issued on this seat's budget, too: only personal ones end with the membership.
  await client.query(
    'update api_key set revoked_at = now() where tenant_id = $1 and member_id = $2 and revoked_at is null',
    [tenant, seat],
  );
}

async function newSeat(client: pg.ClientBase, tenant: bigint, person: Seated): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>(
    `insert into member (tenant_id, email, name, role) values ($1, $2, $3, 'user') returning id`,
    [tenant, person.email, person.name],
  );
  return rows[0]?.id;
}

async function revive(client: pg.ClientBase, tenant: bigint, seat: string, person: Seated): Promise<string> {
  // The address may have changed meanwhile; where another row has it, that one keeps it.
  await client.query(
    `update member m set removed_at = null, removed_person_id = null, former_external_id = null, name = coalesce($4, name),
       external_id = case when not exists (select 1 from member o where o.tenant_id = $1
                            and o.external_id = m.former_external_id) then m.former_external_id end,
       email = case when exists (select 1 from member o where o.tenant_id = $1 and o.id <> m.id
                      and lower(o.email) = lower($3)) then m.email else $3 end
     where m.id = $2`,
    [tenant, seat, person.email, person.name],
  );
  return seat;
}
