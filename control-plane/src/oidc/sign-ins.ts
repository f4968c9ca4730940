import type pg from 'pg';
import { appendAudit } from '../audit/append.ts';
import type { AuditEntry } from '../audit/entry.ts';
import { inTransaction } from '../database/pool.ts';

/** A sign-in at a tenant's chat, under the grant that its tokens come from. */
export type ChatSignIn = {
  readonly grantId: string;
  readonly tenantId: bigint;
  readonly personId: string;
  /** The portal session that let the person in. */
  readonly sessionId: string;
  /** How the chat knows it. */
  readonly sid: string;
};

/** Notes a sign-in, and tells the tenant's audit who it was and from where. */
export async function storeSignIn(
  pool: pg.Pool,
  signIn: ChatSignIn,
  by: Pick<AuditEntry, 'actor' | 'target' | 'from'>,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(
      'insert into chat_sign_in (grant_id, tenant_id, person_id, session_id, sid) values ($1, $2, $3, $4, $5)',
      [signIn.grantId, signIn.tenantId, signIn.personId, signIn.sessionId, signIn.sid],
    );
    await appendAudit(client, { ...by, tenant: signIn.tenantId, action: 'chat.signed_in' });
  });
}

/** Whether the portal session behind a grant still stands; of one session where one is given. */
export async function signInStands(pool: pg.Pool, grantId: string, sessionId: string | null = null): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'oidc_sign_in_stands',
    text: `select from chat_sign_in c join session s on s.id = c.session_id
      where c.grant_id = $1 and s.revoked_at is null and s.expires_at > now() and ($2::uuid is null or s.id = $2)`,
    values: [grantId, sessionId],
  });
  return rowCount === 1;
}
