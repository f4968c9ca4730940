import { randomBytes } from 'node:crypto';
import { hashSecret } from '../http/auth.ts';

/** 256 bits: 43 base64url characters after the prefix. Nobody guesses it, so a plain sha-256 of it may be stored. */
const SECRET_BYTES = 32;
const PREFIX = 'cf-';
/** Characters of the secret itself that people recognise a key by, at each end: 48 of its 256 bits. */
const SHOWN_CHARACTERS = 4;

/** A new key: the secret to be shown once, and what is kept of it. */
export type KeySecret = {
  readonly secret: string;
  readonly sha256: Buffer;
  readonly prefix: string;
  readonly lastFour: string;
};

export function newKeySecret(): KeySecret {
  const secret = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  return {
    secret,
    sha256: hashSecret(secret),
    prefix: secret.slice(0, PREFIX.length + SHOWN_CHARACTERS),
    lastFour: secret.slice(-SHOWN_CHARACTERS),
  };
}
