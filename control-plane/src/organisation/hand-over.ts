import type pg from 'pg';
import { inTransaction } from '../database/pool.ts';
import { setRole } from './change-role.ts';
import { readMembership } from './membership.ts';
import { takesSeat } from './roles.ts';
import { isSeatFree, lockSeats, type SeatedTenant } from './seats.ts';

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

export type HandOverPlan =
  | {
      readonly outcome: 'possible';
      /** Addresses, in lower case, that own the tenant no longer; undefined: all that do now. */
      readonly gone: readonly string[] | undefined;
      readonly next: string;
    }
  | { readonly outcome: Exclude<HandOverOutcome, 'handed_over'> };

/** Whether a tenant can be handed over as things stand, and whose addresses that concerns. */
export async function handOverPlan(
  pool: pg.Pool,
  tenant: bigint,
  from: string | undefined,
  to: string,
): Promise<HandOverPlan> {
  const next = await readMembership(pool, tenant, to);
  if (next === undefined) return { outcome: 'no_member' };
  if (from !== undefined && (await readMembership(pool, tenant, from))?.role !== 'owner')
    return { outcome: 'not_owner' };
  if (!takesSeat(next.role) && !(await isSeatFree(pool, tenant))) return { outcome: 'seats_taken' };
  const { rows } = await pool.query<{ id: string; email: string }>(
    'select id, email from person where id = any ($1::uuid[])',
    [from === undefined ? [to] : [from, to]],
  );
  const addressOf = (id: string) => rows.find((row) => row.id === id)?.email ?? '';
  return {
    outcome: 'possible',
    gone: from === undefined ? undefined : [addressOf(from).toLowerCase()],
    next: addressOf(to),
  };
}

async function ownersOf(client: pg.ClientBase, tenant: bigint): Promise<string[]> {
  const { rows } = await client.query<{ person_id: string }>(
    `select person_id from membership where tenant_id = $1 and role = 'owner' order by created_at`,
    [tenant],
  );
  return rows.map(({ person_id }) => person_id);
}
