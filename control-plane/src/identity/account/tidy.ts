import type pg from 'pg';
import type { Logger } from 'pino';
import { every } from '../../every.ts';

/** Milliseconds between two looks for what has expired. */
const INTERVAL_MS = 600_000;
/** Days that the note of a mail (no content, no recipient) is kept for whoever asks why none came. */
export const MAIL_NOTE_DAYS = 30;
/** Days that ended sessions are kept. */
export const ENDED_SESSION_DAYS = 30;

/** What has expired is of no use and may hold addresses: it goes. */
const EXPIRED = [
  'delete from registration where expires_at < now()',
  'delete from password_reset where expires_at < now()',
  'delete from address_change where expires_at < now()',
  'delete from pending_sign_in where expires_at < now()',
  'delete from provider_visit where expires_at < now()',
  'delete from waiting_identity where expires_at < now()',
  'delete from passkey_challenge where expires_at < now()',
  'delete from throttle where forgotten_at < now()',
  `delete from mail where state <> 'pending' and ended_at < now() - interval '${MAIL_NOTE_DAYS} days'`,
  `delete from session where coalesce(revoked_at, expires_at) < now() - interval '${ENDED_SESSION_DAYS} days'`,
];

export async function removeExpired(pool: pg.Pool): Promise<void> {
  for (const statement of EXPIRED) await pool.query(statement);
}

/** @returns its stop, which waits for a look under way */
export function startTidying(pool: pg.Pool, log: Logger): () => Promise<void> {
  return every(
    INTERVAL_MS,
    () => removeExpired(pool),
    (err) => log.warn({ err }, 'what has expired could not be removed; it is tried again'),
  );
}
