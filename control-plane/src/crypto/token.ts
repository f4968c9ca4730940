import { createHash, randomBytes } from 'node:crypto';

/** 256 bits: 43 base64url characters. Nobody guesses it, so a plain sha-256 of it may be stored. */
const TOKEN_BYTES = 32;

/** A fresh secret for a session, a link in a mail, or a key. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** What is stored of a token or key. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
