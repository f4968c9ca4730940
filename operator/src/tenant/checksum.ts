import { createHash } from 'node:crypto';

/** SHA-256 of a text in hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** One fingerprint of key-value data that does not depend on the order of its keys. */
export function checksum(data: Record<string, unknown>): string {
  return sha256(JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))));
}
