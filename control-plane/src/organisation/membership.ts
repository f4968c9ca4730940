import type pg from 'pg';
import { z } from 'zod';
import { Role } from '../http/permissions.ts';

/** A person's place in a tenant. */
export type Membership = {
  readonly person: string;
  readonly role: Role;
  /** The ledger's member; null for a role without a seat, and for an owner who found none free. */
  readonly seat: string | null;
};

const Row = z.object({ person_id: z.uuid(), role: Role, member_id: z.uuid().nullable() });

/** Someone's place in a tenant as it is now; undefined when they have none. */
export async function readMembership(
  client: pg.ClientBase | pg.Pool,
  tenant: bigint,
  person: string,
): Promise<Membership | undefined> {
  const { rows } = await client.query(
    'select person_id, role, member_id from membership where tenant_id = $1 and person_id = $2',
    [tenant, person],
  );
  if (rows[0] === undefined) return undefined;
  const { person_id, role, member_id } = Row.parse(rows[0]);
  return { person: person_id, role, seat: member_id };
}

/** Whether somebody else owns the tenant, too: only then may this owner go. Under `lockSeats`. */
export async function hasOtherOwner(client: pg.ClientBase, tenant: bigint, person: string): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from membership where tenant_id = $1 and role = 'owner' and person_id <> $2 limit 1`,
    [tenant, person],
  );
  return rows.length > 0;
}

/** Tells a tenant's stream, in the transaction of what it tells. */
export async function tell(
  client: pg.ClientBase,
  tenant: bigint,
  type: 'member.joined' | 'member.left' | 'member.role_changed',
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  await client.query('select event_append($1, $2, $3)', [tenant, type, data]);
}
