import type pg from 'pg';
import { z } from 'zod';
import { hashToken, newToken } from '../../crypto/token.ts';
import type { ProvedIdentity } from './provider.ts';
import { ProviderName } from './settings.ts';

/** Minutes an identity waits: long enough to read the terms, or to sign in by mail. */
export const WAITING_MINUTES = 30;

export type WaitingPurpose = 'terms' | 'link';

const Row = z.object({ provider: ProviderName, subject: z.string(), email: z.string(), name: z.string() });
/** A proved identity that waits; its address was verified, or it would not. */
export type WaitingIdentity = z.output<typeof Row>;

/** Lets it wait. The token is told this once. */
export async function letWait(
  client: pg.ClientBase | pg.Pool,
  purpose: WaitingPurpose,
  identity: Omit<ProvedIdentity, 'emailVerified'>,
): Promise<string> {
  const token = newToken();
  await client.query(
    `insert into waiting_identity (token_sha256, purpose, provider, subject, email, name, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + make_interval(mins => $7))`,
    [hashToken(token), purpose, identity.provider, identity.subject, identity.email, identity.name, WAITING_MINUTES],
  );
  return token;
}

/** Takes what waits under a token, once; undefined when there is nothing for this purpose. */
export async function takeWaiting(
  client: pg.ClientBase,
  purpose: WaitingPurpose,
  token: string,
): Promise<WaitingIdentity | undefined> {
  const { rows } = await client.query(
    'delete from waiting_identity where token_sha256 = $1 and purpose = $2 and expires_at > now() returning *',
    [hashToken(token), purpose],
  );
  return rows[0] === undefined ? undefined : Row.parse(rows[0]);
}
