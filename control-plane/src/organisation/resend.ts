import type pg from 'pg';
import { hashToken, newToken } from '../crypto/token.ts';
import { INVITATION_DAYS, Invitation, MAX_TIMES_SENT, RESEND_WAIT_SECONDS } from './invitations.ts';

export type ResendOutcome =
  | { readonly outcome: 'sent'; readonly invitation: Invitation; readonly token: string }
  | { readonly outcome: 'unknown' | 'sent_often' }
  | { readonly outcome: 'too_soon'; readonly retryAfterSeconds: number };

/** Gives a pending invitation a new token and its whole time again; the former token opens nothing any more. */
export async function resend(client: pg.ClientBase, tenant: bigint, id: string): Promise<ResendOutcome> {
  const { rows } = await client.query(
    `select *, greatest(0, $3 - extract(epoch from now() - sent_at))::float8 as wait from invitation
     where tenant_id = $1 and id = $2 and state = 'pending' for update`,
    [tenant, id, RESEND_WAIT_SECONDS],
  );
  if (rows[0] === undefined) return { outcome: 'unknown' };
  if (Invitation.parse(rows[0]).times_sent >= MAX_TIMES_SENT) return { outcome: 'sent_often' };
  if (rows[0].wait > 0) return { outcome: 'too_soon', retryAfterSeconds: Math.ceil(rows[0].wait) };
  const token = newToken();
  const { rows: sent } = await client.query(
    `update invitation set token_sha256 = $2, sent_at = now(), times_sent = times_sent + 1,
       expires_at = now() + make_interval(days => $3) where id = $1 returning *`,
    [id, hashToken(token), INVITATION_DAYS],
  );
  return { outcome: 'sent', invitation: Invitation.parse(sent[0]), token };
}
