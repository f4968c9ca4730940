import type pg from 'pg';
import { revokeSessions } from '../session/sessions.ts';
import type { PersonRecord } from './people.ts';

/**
 * Stores a person's new password and ends what the old one had begun: sessions, sign-ins that wait for a second factor,
 * links to set another password.
 * @param keep the session that goes on
 * @returns false when the person has changed since it was read: another password, another address, locked
 */
export async function storePassword(
  client: pg.ClientBase,
  { id, email, passwordHash: before }: PersonRecord,
  passwordHash: string,
  keep: string | null,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update person set password_hash = $4, changed_at = now()
     where id = $1 and email = $2 and password_hash is not distinct from $3 and state = 'active'`,
    [id, email, before, passwordHash],
  );
  if (rowCount !== 1) return false;
  await client.query('delete from pending_sign_in where person_id = $1', [id]);
  await client.query('delete from password_reset where lower(email) = lower($1)', [email]);
  await revokeSessions(client, id, keep);
  return true;
}
