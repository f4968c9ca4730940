import type pg from 'pg';
import { inTransaction } from '../database/pool.ts';
import type { Role } from '../http/permissions.ts';
import { hasOtherOwner, readMembership, tell } from './membership.ts';
import { freeSeat, lockSeats, type SeatedTenant } from './seats.ts';

export type LeaveOutcome =
  | { readonly outcome: 'left'; readonly role: Role }
  | { readonly outcome: 'no_member' }
  | { readonly outcome: 'last_owner' }
  /** Only an owner may remove an owner. */
  | { readonly outcome: 'owner_protected' };

/** Ends someone's membership: of their own will, or because an administrator says so. */
export async function leave(
  pool: pg.Pool,
  tenant: SeatedTenant,
  person: string,
  { mayRemoveOwners }: { mayRemoveOwners: boolean },
): Promise<LeaveOutcome> {
  return inTransaction(pool, async (client): Promise<LeaveOutcome> => {
    await lockSeats(client, tenant);
    const membership = await readMembership(client, tenant.id, person);
    if (membership === undefined) return { outcome: 'no_member' };
    if (membership.role === 'owner') {
      if (!mayRemoveOwners) return { outcome: 'owner_protected' };
      if (!(await hasOtherOwner(client, tenant.id, person))) return { outcome: 'last_owner' };
    }
    await endMembership(client, tenant.id, person);
    return { outcome: 'left', role: membership.role };
  });
}

/**
 * The end of a membership with all that hangs on it: seat, keys, chat sessions. Under `lockSeats`; asks nobody, so
 * whoever calls has made sure that an owner remains.
 */
export async function endMembership(client: pg.ClientBase, tenant: bigint, person: string): Promise<void> {
  const { rows } = await client.query<{ member_id: string | null }>(
    'delete from membership where tenant_id = $1 and person_id = $2 returning member_id',
    [tenant, person],
  );
  if (rows[0] === undefined) return;
  await tell(client, tenant, 'member.left', { personId: person });
  if (rows[0].member_id !== null) await freeSeat(client, tenant, rows[0].member_id, person);
}
