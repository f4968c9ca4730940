import type pg from 'pg';
import { z } from 'zod';
import { Role } from '../../http/permissions.ts';
import type { PersonRecord } from '../../identity/account/people.ts';
import { enrolledSecondFactors } from '../../identity/second-factor/enrolled.ts';
import { type SignedIn, SignInMethod } from '../../identity/session/sessions.ts';

const Membership = z
  .object({
    tenant: z.string(),
    displayName: z.string(),
    role: Role,
    state: z.enum(['open', 'closed']),
    host: z.string(),
  })
  .meta({ id: 'OwnMembership', description: 'A tenant the person belongs to; host is where its chat is' });

export const AccountView = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    language: z.enum(['de', 'en']),
    platformAdmin: z.boolean(),
    createdAt: z.iso.datetime(),
    methods: z.object({
      password: z.boolean(),
      secondFactors: z.array(z.enum(['totp', 'passkey', 'recovery'])),
    }),
    session: z.object({ id: z.uuid(), methods: z.array(SignInMethod), authenticatedAt: z.iso.datetime() }),
    memberships: z.array(Membership),
  })
  .meta({ id: 'Account', description: 'The person who is signed in' });

const MembershipRow = z.object({
  name: z.string(),
  role: Role,
  state: z.enum(['open', 'closed']),
  display_name: z.string(),
  host: z.string(),
});

/** The whole of it, as of now. */
export async function accountView(
  pool: pg.Pool,
  person: PersonRecord,
  session: SignedIn['session'],
): Promise<z.input<typeof AccountView>> {
  const { rows } = await pool.query(
    `select t.name, m.role, t.state, t.registration ->> 'displayName' as display_name, t.registration ->> 'host' as host
     from membership m join tenant t on t.id = m.tenant_id
     where m.person_id = $1 and t.state <> 'erased' order by lower(t.registration ->> 'displayName'), t.name`,
    [person.id],
  );
  const { id, email, name, language, platformAdmin, createdAt, passwordHash } = person;
  return {
    id,
    email,
    name,
    language,
    platformAdmin,
    createdAt: createdAt.toISOString(),
    methods: {
      password: passwordHash !== null,
      secondFactors: [...(await enrolledSecondFactors(pool, id))],
    },
    session: {
      id: session.id,
      methods: [...session.methods],
      authenticatedAt: session.authenticatedAt.toISOString(),
    },
    memberships: rows
      .map((row) => MembershipRow.parse(row))
      .map(({ name: tenant, display_name: displayName, ...rest }) => ({ tenant, displayName, ...rest })),
  };
}
