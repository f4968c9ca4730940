import type pg from 'pg';
import type { Logger } from 'pino';
import { every } from '../every.ts';
import { forgetOldExports } from './chat-data.ts';

/** Milliseconds between two looks. */
const INTERVAL_MS = 3_600_000;

/** Takes away exports of chats that were not fetched in time. @returns its stop */
export function startForgetting(pool: pg.Pool, log: Logger): () => Promise<void> {
  return every(
    INTERVAL_MS,
    () => forgetOldExports(pool),
    (err) => log.warn({ err }, 'old exports of chats were not taken away; the next look does it'),
  );
}
