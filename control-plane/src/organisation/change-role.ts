import type pg from 'pg';
import { inTransaction } from '../database/pool.ts';
import type { Role } from '../http/permissions.ts';
import { hasOtherOwner, readMembership, tell } from './membership.ts';
import { type GivenRole, takesSeat } from './roles.ts';
import { freeSeat, lockSeats, type Seated, type SeatedTenant, takeSeat } from './seats.ts';

export type ChangeRoleOutcome =
  | { readonly outcome: 'changed' | 'unchanged'; readonly before: Role }
  | { readonly outcome: 'no_member' | 'last_owner' | 'owner_protected' | 'seats_taken' };

/** Gives a member another role, and with it a seat or none. Only an owner may take ownership from an owner. */
export async function changeRole(
  pool: pg.Pool,
  tenant: SeatedTenant,
  person: string,
  role: GivenRole,
  { mayDemoteOwners }: { mayDemoteOwners: boolean },
): Promise<ChangeRoleOutcome> {
  return inTransaction(pool, async (client): Promise<ChangeRoleOutcome> => {
    await lockSeats(client, tenant);
    const membership = await readMembership(client, tenant.id, person);
    if (membership === undefined) return { outcome: 'no_member' };
    const { role: before } = membership;
    if (before === role) return { outcome: 'unchanged', before };
    if (before === 'owner') {
      if (!mayDemoteOwners) return { outcome: 'owner_protected' };
      if (!(await hasOtherOwner(client, tenant.id, person))) return { outcome: 'last_owner' };
    }
    const set = await setRole(client, tenant.id, person, role);
    return set === 'seats_taken' ? { outcome: 'seats_taken' } : { outcome: 'changed', before };
  });
}

/**
 * Sets the role of a member, whatever it was, and takes or frees the seat that goes with it. Under `lockSeats`.
 * @param seatless whether to do so even when every seat is taken
 */
export async function setRole(
  client: pg.ClientBase,
  tenant: bigint,
  person: string,
  role: Role,
  { seatless = false }: { seatless?: boolean } = {},
): Promise<'set' | 'seats_taken'> {
  const membership = await readMembership(client, tenant, person);
  if (membership === undefined) throw new Error(`person ${person} is no member of tenant ${tenant}`);
  let { seat } = membership;
  if (!takesSeat(role)) {
    if (seat !== null) await freeSeat(client, tenant, seat, person);
    seat = null;
  } else if (seat === null) {
    seat = (await takeSeat(client, tenant, await readPerson(client, person))) ?? null;
    // An owner who found no seat free needs none to step down.
    if (seat === null && !seatless && !takesSeat(membership.role)) return 'seats_taken';
  }
  await client.query('update membership set role = $3, member_id = $4 where tenant_id = $1 and person_id = $2', [
    tenant,
    person,
    role,
    seat,
  ]);
  await tell(client, tenant, 'member.role_changed', { personId: person, role, before: membership.role });
  return 'set';
}

async function readPerson(client: pg.ClientBase, id: string): Promise<Seated> {
  const { rows } = await client.query<Seated>('select id, email, name from person where id = $1', [id]);
  if (rows[0] === undefined) throw new Error(`there is no person ${id}`);
  return rows[0];
}
