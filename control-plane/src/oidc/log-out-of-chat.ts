import type pg from 'pg';

/**
 * Signs a person out of a tenant's chat: at once where the chat answers, else as soon as it does. Removing a membership,
 * turning it into one without a seat, revoking a session and locking a person do this by themselves (0017-oidc.sql);
 * this is for every other reason, in the caller's transaction.
 */
export async function logOutOfChat(client: pg.ClientBase | pg.Pool, tenantId: bigint, personId: string): Promise<void> {
  await client.query('select chat_log_out($1, $2)', [tenantId, personId]);
}
