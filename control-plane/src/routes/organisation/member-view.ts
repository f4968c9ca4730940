import { z } from 'zod';
import { DnsLabel } from '../../catalogue/registrations.ts';
import type { Principal } from '../../http/auth.ts';
import { ROLE_PERMISSIONS, Role } from '../../http/permissions.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';

export const MemberParams = z.strictObject({ tenant: DnsLabel, person: z.uuid() });

export const MemberView = z
  .object({
    person: z.object({ id: z.uuid(), name: z.string(), email: z.string() }),
    role: Role,
    userId: z.uuid().nullable().meta({
      description:
        'The seat: the user that usage and budgets are kept by. null: a role without one, or no seat was free',
    }),
    joinedAt: z.iso.datetime(),
  })
  .meta({ id: 'Member', description: 'A person in a tenant' });

const Row = z.object({
  person_id: z.uuid(),
  name: z.string(),
  email: z.string(),
  role: Role,
  member_id: z.uuid().nullable(),
  created_at: z.date(),
});

/** Columns of a `MemberView`, of membership s and person p. */
export const MEMBER_COLUMNS = `s.person_id, p.name, p.email, s.role, s.member_id, s.created_at
  from membership s join person p on p.id = s.person_id`;

export function memberView(row: unknown): z.input<typeof MemberView> {
  const { person_id, name, email, role, member_id, created_at } = Row.parse(row);
  return { person: { id: person_id, name, email }, role, userId: member_id, joinedAt: created_at.toISOString() };
}

/** Whether the caller may do to a tenant what only its owners, or the platform's administration, may. */
export function actsAsOwner(principal: Principal, role: Role | undefined): boolean {
  if (principal.kind === 'admin') return true;
  if (principal.kind !== 'person') return false;
  return principal.person.platformAdmin || (role !== undefined && ROLE_PERMISSIONS[role].has('owner'));
}

type MemberRefusal = 'no_member' | 'last_owner' | 'owner_protected' | 'seats_taken' | 'not_owner';

const REFUSALS: Record<MemberRefusal, readonly [status: number, code: string, detail: string]> = {
  no_member: [404, 'member_unknown', 'this tenant has no member with this id'],
  last_owner: [409, 'last_owner', 'the last owner cannot go: hand the tenant over first'],
  owner_protected: [403, 'owner_protected', 'only an owner may change or remove an owner'],
  seats_taken: [409, 'seats_taken', 'every seat of this tenant is taken; remove somebody, or choose a larger plan'],
  not_owner: [403, 'not_permitted', 'only an owner can hand a tenant over'],
};

/** What members' operations cannot do, and why. */
export function memberRefusal(outcome: MemberRefusal): Answer {
  const [status, code, detail] = REFUSALS[outcome];
  return { status, body: problem(status, code, detail) };
}
