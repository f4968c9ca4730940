import type pg from 'pg';
import { z } from 'zod';
import type { Vault } from '../crypto/vault.ts';
import { type ChatDataKind, type ChatSubject, requestChatData } from './chat-data.ts';

const Row = z.object({
  tenant_id: z.bigint(),
  tenant: z.string(),
  id: z.uuid(),
  external_ids: z.array(z.string()),
  email: z.string().nullable(),
});

/** A seat that is or was a person's, with the accounts of the chat that it stands for. */
export type SeatOf = {
  readonly tenantId: bigint;
  readonly tenant: string;
  readonly id: string;
  readonly externalIds: readonly string[];
  readonly email: string | null;
};

/** Every seat of a person: of their memberships, of former ones, and where only the address says that it is theirs. */
export async function seatsOf(client: pg.Pool | pg.PoolClient, person: string, email: string): Promise<SeatOf[]> {
  const { rows } = await client.query(
    `select m.tenant_id, t.name as tenant, m.id, array_remove(array[m.external_id, m.former_external_id], null)
       as external_ids, m.email
     from member m join tenant t on t.id = m.tenant_id
     where t.state <> 'erased' and (m.removed_person_id = $1 or lower(m.email) = lower($2)
       or m.id in (select member_id from membership where person_id = $1)) order by m.tenant_id, m.id`,
    [person, email],
  );
  return z
    .array(Row)
    .parse(rows)
    .map(({ tenant_id, external_ids, ...seat }) => ({ ...seat, tenantId: tenant_id, externalIds: external_ids }));
}

/** Asks the chat of every tenant where the person has, or had, a seat. @returns the tenants that were asked */
export async function askChats(
  client: pg.PoolClient,
  vault: Vault,
  kind: ChatDataKind,
  person: { readonly id: string; readonly email: string },
  seats: readonly SeatOf[],
): Promise<string[]> {
  const byTenant = Map.groupBy(seats, ({ tenantId }) => tenantId);
  const asked: string[] = [];
  for (const [tenant, of] of byTenant) {
    const emails = of.flatMap(({ email }) => (email === null ? [] : [email]));
    const subject: ChatSubject = {
      personId: person.id,
      externalIds: [...new Set(of.flatMap(({ externalIds }) => externalIds))],
      emails: [...new Set([person.email, ...emails].map((address) => address.toLowerCase()))],
    };
    await requestChatData(client, vault, tenant, kind, subject);
    asked.push(of[0]?.tenant ?? '');
  }
  return asked;
}
