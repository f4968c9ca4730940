import type pg from 'pg';
import { hashToken, newToken } from '../crypto/token.ts';
import { INVITATION_DAYS, Invitation, MAX_INVITATIONS_PER_DAY, MAX_PENDING_INVITATIONS } from './invitations.ts';
import { type GivenRole, takesSeat } from './roles.ts';
import { isSeatFree } from './seats.ts';

export type Wish = {
  readonly tenant: bigint;
  readonly email: string;
  readonly role: GivenRole;
  readonly language: 'de' | 'en';
  /** Undefined: the platform's administration. */
  readonly by: string | undefined;
};

export type InviteOutcome =
  | { readonly outcome: 'invited'; readonly invitation: Invitation; readonly token: string }
  | { readonly outcome: 'already_member' | 'already_invited' | 'too_many' | 'too_many_today' | 'seats_taken' };

/** Invites an address, under `lockSeats`. One that had let a former invitation expire is simply invited again. */
export async function invite(
  client: pg.ClientBase,
  { tenant, email, role, language, by }: Wish,
): Promise<InviteOutcome> {
  const known = await client.query(
    `select 1 from membership s join person p on p.id = s.person_id
     where s.tenant_id = $1 and p.state = 'active' and lower(p.email) = lower($2)`,
    [tenant, email],
  );
  if (known.rows.length > 0) return { outcome: 'already_member' };
  await client.query(
    `update invitation set state = 'withdrawn', ended_at = now()
     where tenant_id = $1 and lower(email) = lower($2) and state = 'pending' and expires_at <= now()`,
    [tenant, email],
  );
  const { rows: counted } = await client.query<{ same: boolean; pending: bigint; today: bigint }>(
    `select coalesce(bool_or(state = 'pending' and lower(email) = lower($2)), false) as same,
       count(*) filter (where state = 'pending' and expires_at > now()) as pending,
       count(*) filter (where created_at > now() - interval '1 day') as today
     from invitation where tenant_id = $1 and (state = 'pending' or created_at > now() - interval '1 day')`,
    [tenant, email],
  );
  const { same = false, pending = 0n, today = 0n } = counted[0] ?? {};
  if (same) return { outcome: 'already_invited' };
  if (pending >= MAX_PENDING_INVITATIONS) return { outcome: 'too_many' };
  if (today >= MAX_INVITATIONS_PER_DAY) return { outcome: 'too_many_today' };
  if (takesSeat(role) && !(await isSeatFree(client, tenant))) return { outcome: 'seats_taken' };
  const token = newToken();
  const { rows } = await client.query(
    `insert into invitation (tenant_id, email, role, token_sha256, invited_by, language, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7)) returning *`,
    [tenant, email, role, hashToken(token), by ?? null, language, INVITATION_DAYS],
  );
  return { outcome: 'invited', invitation: Invitation.parse(rows[0]), token };
}
