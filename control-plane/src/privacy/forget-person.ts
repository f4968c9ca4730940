import type pg from 'pg';

/** Where a table refers to a person, and what an erasure does with it. A test knows every reference there is. */
export const PERSON_REFERENCES: Readonly<Record<string, 'deleted' | 'emptied' | string>> = {
  'session.person_id': 'deleted',
  'address_change.person_id': 'deleted',
  'pending_sign_in.person_id': 'deleted',
  'identity.person_id': 'deleted',
  'provider_visit.link_person_id': 'deleted',
  'totp.person_id': 'deleted',
  'recovery_code.person_id': 'deleted',
  'passkey.person_id': 'deleted',
  'passkey_challenge.person_id': 'deleted',
  'tenant_request.person_id': 'deleted',
  'membership.person_id': 'deleted',
  'chat_sign_in.person_id': 'deleted',
  'tenant_owner.person_id': 'deleted',
  'invitation.accepted_by': 'deleted',
  'terms_acceptance.person_id': 'emptied',
  'member.removed_person_id': 'emptied',
  'api_key.person_id': 'emptied',
  'invitation.invited_by': 'kept: the id of who invited somebody else',
  'oidc_logout.person_id': 'kept: the chat is still to be told',
  'file.person_id': 'kept: the id of who stored a tenant’s file',
  'chat_data_request.person_id': 'kept: what the chats were asked, and when',
  'erasure.person_id': 'kept: that it was done',
};

/** Tables whose rows are about the person and nothing else. */
const DELETED = [
  'session',
  'address_change',
  'pending_sign_in',
  'identity',
  'totp',
  'recovery_code',
  'passkey',
  'passkey_challenge',
  'tenant_request',
] as const;
/** Tables that know an address before there is a person. */
const DELETED_BY_ADDRESS = ['registration', 'password_reset', 'waiting_identity'] as const;

/**
 * Empties or removes every row that is about a person.
 * @returns the ids of invitations to them
 */
export async function forgetPerson(
  client: pg.PoolClient,
  person: { readonly id: string; readonly email: string },
  seats: readonly string[],
): Promise<string[]> {
  for (const table of DELETED) await client.query(`delete from ${table} where person_id = $1`, [person.id]);
  for (const table of DELETED_BY_ADDRESS) {
    await client.query(`delete from ${table} where lower(email) = lower($1)`, [person.email]);
  }
  await client.query('delete from provider_visit where link_person_id = $1', [person.id]);
  await client.query('delete from tenant_owner where person_id = $1 or address = lower($2)', [person.id, person.email]);
  const { rows } = await client.query<{ id: string }>(
    'delete from invitation where lower(email) = lower($2) or accepted_by = $1 returning id',
    [person.id, person.email],
  );
  await client.query(`delete from oidc_record where payload ->> 'accountId' = $1`, [person.id]);
  await client.query(`delete from chat_data_request where person_id = $1 and kind = 'export'`, [person.id]);
  await client.query('update terms_acceptance set address = null where person_id = $1', [person.id]);
  await client.query('update member set email = null, name = null where id = any($1)', [seats]);
  // An alert that has not left yet is not sent any more.
  await client.query(
    `update delivery set recipient = id::text, taken_until = null, ended_at = coalesce(ended_at, now()),
       state = case state when 'pending' then 'failed' else state end where lower(recipient) = lower($1)`,
    [person.email],
  );
  await client.query(
    `update person set state = 'erased', email = null, name = null, password_hash = null, platform_admin = false,
       email_verified_at = null, changed_at = now() where id = $1`,
    [person.id],
  );
  return rows.map(({ id }) => id);
}
