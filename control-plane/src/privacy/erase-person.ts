import type pg from 'pg';
import { z } from 'zod';
import { eraseFromAudit } from '../audit/erase.ts';
import type { Vault } from '../crypto/vault.ts';
import { inTransaction } from '../database/pool.ts';
import { revokeSessions } from '../identity/session/sessions.ts';
import { endMembership } from '../organisation/leave.ts';
import { hasOtherOwner } from '../organisation/membership.ts';
import { lockSeats } from '../organisation/seats.ts';
import { dropMailsTo } from './drop-mails.ts';
import { forgetPerson } from './forget-person.ts';
import { askChats, seatsOf } from './seats-of.ts';

/** Years that what was billed has to be kept (§ 147 AO, § 257 HGB): from the end of the year it was billed in. */
const KEPT_YEARS = 8;

export type EraseOutcome =
  | { readonly outcome: 'unknown' }
  /** Tenants that would have no owner any more. */
  | { readonly outcome: 'last_owner'; readonly tenants: readonly string[] }
  | {
      readonly outcome: 'erased';
      /** Tenants whose chats were asked to erase. */
      readonly chats: readonly string[];
      /** Tenants whose resource still names the address as an owner's; what is wished is not ours to change. */
      readonly namedIn: readonly string[];
      readonly kept: { readonly ledgerLines: number; readonly usageLines: number; readonly until: string };
    };

type Person = { readonly id: string; readonly email: string };

/**
 * Forgets a person, in one transaction: account, ways of signing in, sessions, memberships, what mails and alerts say,
 * and their name in the audit. The ledger stays as it is: it knows seats by id, and those lead to nobody any more. The
 * chats of their tenants are asked to erase theirs.
 */
export async function erasePerson(pool: pg.Pool, vault: Vault, personId: string): Promise<EraseOutcome> {
  return inTransaction(pool, async (client): Promise<EraseOutcome> => {
    const { rows } = await client.query<Person>(
      `select id, email from person where id = $1 and state <> 'erased' for update`,
      [personId],
    );
    const person = rows[0];
    if (person === undefined) return { outcome: 'unknown' };
    const memberships = await membershipsOf(client, person.id);
    for (const tenant of memberships) await lockSeats(client, tenant);
    const orphaned: string[] = [];
    for (const { id, name, role, state } of memberships) {
      if (role === 'owner' && state === 'open' && !(await hasOtherOwner(client, id, person.id))) orphaned.push(name);
    }
    if (orphaned.length > 0) return { outcome: 'last_owner', tenants: orphaned };

    const seats = await seatsOf(client, person.id, person.email);
    const chats = await askChats(client, vault, 'erase', person, seats);
    for (const { id } of memberships) await endMembership(client, id, person.id);
    await revokeSessions(client, person.id);
    await dropMailsTo(client, vault, person.email);
    const seatIds = seats.map(({ id }) => id);
    const invitations = await forgetPerson(client, person, seatIds);
    const namedIn = await forgetOwnership(client, person.email);
    const kept = await record(client, person.id, seatIds);
    await eraseFromAudit(client, [person.id, ...seatIds, ...invitations], [person.email]);
    return { outcome: 'erased', chats, namedIn, kept };
  });
}

const Membership = z.object({
  id: z.bigint(),
  account: z.bigint(),
  name: z.string(),
  role: z.string(),
  state: z.string(),
});

/** In the order in which their locks are taken. */
async function membershipsOf(client: pg.PoolClient, person: string) {
  const { rows } = await client.query(
    `select t.id, a.id as account, t.name, m.role, t.state from membership m join tenant t on t.id = m.tenant_id
     join account a on a.tenant_id = t.id where m.person_id = $1 order by a.id`,
    [person],
  );
  return z.array(Membership).parse(rows);
}

/** Takes the address out of what was registered. The operator brings it back if the Tenant still has it. */
async function forgetOwnership(client: pg.PoolClient, email: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `update tenant set registration = jsonb_set(registration, '{owners}', coalesce(
         (select jsonb_agg(owner) from jsonb_array_elements_text(registration -> 'owners') owner
          where lower(owner) <> lower($1)), '[]'))
     where registration -> 'owners' @> '[]' and exists (
       select from jsonb_array_elements_text(registration -> 'owners') owner where lower(owner) = lower($1))
     returning name`,
    [email],
  );
  return rows.map(({ name }) => name).sort();
}

async function record(client: pg.PoolClient, person: string, seats: readonly string[]) {
  const { rows } = await client.query<{ ledger: bigint; usage: bigint; until: string }>(
    `with kept as (
       select (select count(*) from ledger_entry where member_id = any($2)) as ledger,
         (select count(*) from usage_line where member_id = any($2)) as usage,
         (date_trunc('year', now()) + make_interval(years => $3 + 1) - interval '1 day')::date as until),
     noted as (
       insert into erasure (person_id, seats, kept, keep_until)
       select $1, $2, jsonb_build_object('ledgerLines', ledger, 'usageLines', usage), until from kept)
     select ledger, usage, until::text from kept`,
    [person, seats, KEPT_YEARS],
  );
  const row = rows[0];
  return { ledgerLines: Number(row?.ledger ?? 0n), usageLines: Number(row?.usage ?? 0n), until: row?.until ?? '' };
}
