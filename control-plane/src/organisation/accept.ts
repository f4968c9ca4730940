import type pg from 'pg';
import { z } from 'zod';
import { hashToken } from '../crypto/token.ts';
import { inTransaction } from '../database/pool.ts';
import type { Role } from '../http/permissions.ts';
import { Invitation } from './invitations.ts';
import { join } from './join.ts';
import { readMembership } from './membership.ts';
import { lockSeats } from './seats.ts';

export type AcceptOutcome =
  | { readonly outcome: 'joined' | 'member_already'; readonly tenant: string; readonly role: Role }
  /** Never made, withdrawn, replaced by a newer mail, or accepted already. */
  | { readonly outcome: 'unknown' | 'expired' | 'another_address' | 'seats_taken' };

const Found = Invitation.extend({ tenant_name: z.string(), account: z.bigint(), expired: z.boolean() });
const Person = z.object({ id: z.uuid(), email: z.string(), name: z.string().nullable(), verified: z.boolean() });

/** Takes a person in by the token that was mailed to their address. The token works once. */
export async function accept(pool: pg.Pool, token: string, personId: string): Promise<AcceptOutcome> {
  return inTransaction(pool, async (client): Promise<AcceptOutcome> => {
    const invitation = await findInvitation(client, token);
    if (invitation === undefined) return { outcome: 'unknown' };
    const { tenant_id: tenant, account, role } = invitation;
    await lockSeats(client, { id: tenant, account });
    // Read again under the lock: whoever held it may have accepted, withdrawn or resent it.
    const current = await findInvitation(client, token, 'for update of i');
    if (current === undefined) return { outcome: 'unknown' };
    if (current.expired) return { outcome: 'expired' };
    const { rows } = await client.query(
      `select id, email, name, email_verified_at is not null as verified from person where id = $1 and state = 'active'`,
      [personId],
    );
    const person = Person.parse(rows[0]);
    if (!person.verified || person.email.toLowerCase() !== current.email.toLowerCase()) {
      return { outcome: 'another_address' };
    }
    const membership = await readMembership(client, tenant, person.id);
    if (membership === undefined) {
      const joined = await join(client, tenant, person, role, { seatless: false });
      if (joined === 'seats_taken') return { outcome: 'seats_taken' };
    }
    await client.query(
      `update invitation set state = 'accepted', ended_at = now(), accepted_by = $2 where id = $1 and state = 'pending'`,
      [current.id, person.id],
    );
    return membership === undefined
      ? { outcome: 'joined', tenant: current.tenant_name, role }
      : { outcome: 'member_already', tenant: current.tenant_name, role: membership.role };
  });
}

/** The pending invitation that a token opens, expired or not. */
export async function findInvitation(
  client: pg.ClientBase | pg.Pool,
  token: string,
  locking: 'for update of i' | '' = '',
): Promise<z.output<typeof Found> | undefined> {
  const { rows } = await client.query(
    `select i.*, i.expires_at <= now() as expired, t.name as tenant_name, a.id as account
     from invitation i join tenant t on t.id = i.tenant_id join account a on a.tenant_id = t.id
     where i.token_sha256 = $1 and i.state = 'pending' and t.state = 'open' ${locking}`,
    [hashToken(token)],
  );
  return rows[0] === undefined ? undefined : Found.parse(rows[0]);
}
