import { createHash } from 'node:crypto';

/**
 * The sha-256 of a payload, whatever the order of its keys: the same request id with another hash is another request.
 * Undefined fields count as absent.
 */
export function payloadHash(payload: unknown): Buffer {
  return createHash('sha256').update(canonical(payload)).digest();
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}
