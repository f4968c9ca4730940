import type pg from 'pg';
import type { Role } from '../http/permissions.ts';
import { tell } from './membership.ts';
import { takesSeat } from './roles.ts';
import { type Seated, takeSeat } from './seats.ts';

/**
 * Makes a person a member of a tenant they do not belong to yet. Under `lockSeats`.
 * @param seatless whether to take them in even when every seat is taken: an owner must be able to change the plan
 */
export async function join(
  client: pg.ClientBase,
  tenant: bigint,
  person: Seated,
  role: Role,
  { seatless }: { seatless: boolean },
): Promise<'joined' | 'seats_taken'> {
  const seat = takesSeat(role) ? await takeSeat(client, tenant, person) : undefined;
  if (takesSeat(role) && seat === undefined && !seatless) return 'seats_taken';
  await client.query('insert into membership (tenant_id, person_id, role, member_id) values ($1, $2, $3, $4)', [
    tenant,
    person.id,
    role,
    seat ?? null,
  ]);
  await tell(client, tenant, 'member.joined', { personId: person.id, role });
  return 'joined';
}
