import type pg from 'pg';
import { inTransaction } from '../database/pool.ts';
import { setRole } from './change-role.ts';
import { readMembership } from './membership.ts';
import { lockSeats, type SeatedTenant } from './seats.ts';

export type HandOverOutcome = 'handed_over' | 'no_member' | 'not_owner' | 'seats_taken';

/**
 * Makes a member the owner; the former one stays as admin.
 * @param from the owner who hands over; undefined: the platform's administration, which replaces every owner
 */
export async function handOver(
  pool: pg.Pool,
  tenant: SeatedTenant,
  from: string | undefined,
  to: string,
): Promise<HandOverOutcome> {
  return inTransaction(pool, async (client): Promise<HandOverOutcome> => {
    await lockSeats(client, tenant);
    const next = await readMembership(client, tenant.id, to);
    if (next === undefined) return 'no_member';
    const former = from === undefined ? await ownersOf(client, tenant.id) : [from];
    if (from !== undefined && (await readMembership(client, tenant.id, from))?.role !== 'owner') return 'not_owner';
    if (next.role !== 'owner' && (await setRole(client, tenant.id, to, 'owner')) === 'seats_taken') {
      return 'seats_taken';
    }
    for (const owner of former.filter((each) => each !== to)) await setRole(client, tenant.id, owner, 'admin');
    return 'handed_over';
  });
}

async function ownersOf(client: pg.ClientBase, tenant: bigint): Promise<string[]> {
  const { rows } = await client.query<{ person_id: string }>(
    `select person_id from membership where tenant_id = $1 and role = 'owner' order by created_at`,
    [tenant],
  );
  return rows.map(({ person_id }) => person_id);
}
