import type pg from 'pg';
import { z } from 'zod';
import { ROLES_WITH_SEAT, Role } from '../http/permissions.ts';

/** A person whom a tenant's chat lets in, and what it is told of them. */
export type Admitted = {
  readonly personId: string;
  readonly tenantId: bigint;
  readonly email: string;
  readonly name: string;
  readonly language: 'de' | 'en';
  readonly role: Role;
};

/** Why somebody is not let in. The texts go to the chat and to whoever looks for the reason. */
export const REFUSALS = {
  tenant_unknown: 'there is no such chat',
  tenant_closed: 'this chat is closed; ask its owner',
  tenant_suspended: 'this chat is suspended; ask its owner',
  person_unknown: 'this account does not exist any more',
  person_locked: 'this account is locked; ask the operator of the platform',
  address_unconfirmed: 'confirm your e-mail address first',
  not_a_member: 'you are not a member here; ask an owner for an invitation',
  no_seat: 'your role has no seat in the chat; ask an owner for another one',
} as const;
export type RefusalReason = keyof typeof REFUSALS;

export type Admission =
  | { readonly admitted: Admitted }
  | { readonly admitted?: undefined; readonly refused: RefusalReason };

/** What is known when somebody asks to be let in. */
export const AdmissionFacts = z.object({
  tenant: z.object({ id: z.bigint(), state: z.enum(['open', 'closed']), suspended: z.boolean() }).optional(),
  person: z
    .object({
      id: z.string(),
      email: z.string().nullable(),
      name: z.string().nullable(),
      language: z.enum(['de', 'en']),
      state: z.enum(['active', 'locked', 'erased']),
      verified: z.boolean(),
    })
    .optional(),
  role: Role.nullable(),
});
export type AdmissionFacts = z.output<typeof AdmissionFacts>;

/** Members whose role has a seat, whose address is confirmed and who may sign in; nobody else. */
export function decideAdmission({ tenant, person, role }: AdmissionFacts): Admission {
  if (tenant === undefined) return { refused: 'tenant_unknown' };
  if (tenant.state !== 'open') return { refused: 'tenant_closed' };
  if (tenant.suspended) return { refused: 'tenant_suspended' };
  if (person === undefined || person.state === 'erased') return { refused: 'person_unknown' };
  if (person.state !== 'active') return { refused: 'person_locked' };
  const { id, email, language, verified } = person;
  if (email === null || !verified) return { refused: 'address_unconfirmed' };
  if (role === null) return { refused: 'not_a_member' };
  if (!ROLES_WITH_SEAT.has(role)) return { refused: 'no_seat' };
  return { admitted: { personId: id, tenantId: tenant.id, email, name: person.name ?? email, language, role } };
}

/** Asks the database, every time: what was true a minute ago lets nobody in. */
export async function admission(pool: pg.Pool, tenant: string, personId: string): Promise<Admission> {
  const { rows } = await pool.query({
    name: 'oidc_admission',
    text: `select t.id, t.state, coalesce((t.registration ->> 'suspended')::boolean, false) as suspended,
        p.id as person_id, p.email, p.name, p.language, p.state as person_state,
        p.email_verified_at is not null as verified, m.role
      from tenant t left join person p on p.id = $2
        left join membership m on m.tenant_id = t.id and m.person_id = p.id
      where t.name = $1 and t.state <> 'erased'`,
    values: [tenant, personId],
  });
  const row = rows[0];
  if (row === undefined) return decideAdmission({ tenant: undefined, person: undefined, role: null });
  const { id, state, suspended, person_id, email, name, language, person_state, verified, role } = row;
  const person =
    person_id === null ? undefined : { id: person_id, email, name, language, state: person_state, verified };
  return decideAdmission(AdmissionFacts.parse({ tenant: { id, state, suspended }, person, role }));
}
