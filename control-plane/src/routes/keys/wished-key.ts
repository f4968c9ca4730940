import type pg from 'pg';
import type { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import { issueKey } from '../../keys/issue-key.ts';
import { keyExpiry } from '../../keys/key-expiry.ts';
import { newKeySecret } from '../../keys/key-secret.ts';
import type { Scope } from '../../keys/scopes.ts';
import { type KeyWishBody, keyView, wrongField } from './key-view.ts';

/** Whose key it becomes, and the most it may be allowed. */
export type KeyOwner = {
  readonly tenantId: bigint;
  readonly personId?: string;
  readonly memberId?: string;
  readonly ceiling: readonly Scope[];
};

/** Makes a key as it was asked for, or says why not. Its secret leaves by this answer alone. */
export async function makeKey(
  pool: pg.Pool,
  now: Date,
  body: z.output<typeof KeyWishBody>,
  { ceiling, ...owner }: KeyOwner,
): Promise<Answer> {
  const surplus = body.scopes.filter((scope) => !ceiling.includes(scope));
  if (surplus.length > 0) {
    const detail = `you may not give a key what you may not do yourself: ${surplus.join(', ')}`;
    return { status: 403, body: problem(403, 'scope_not_permitted', detail) };
  }
  const expiry = keyExpiry(body.expiresAt, now);
  if ('fault' in expiry) return wrongField('expiresAt', expiry.fault);
  const secret = newKeySecret();
  const wish = { ...owner, name: body.name, scopes: body.scopes, expiresAt: expiry.expiresAt };
  const row = await inTransaction(pool, (client) => issueKey(client, wish, secret));
  if (row === undefined) {
    return { status: 409, body: problem(409, 'too_many_keys', 'there are too many keys already; revoke one first') };
  }
  const view = keyView(row);
  return {
    status: 201,
    body: { ...view, key: secret.secret },
    audit: { action: 'key.create', target: `key/${view.id}`, after: view },
  };
}
