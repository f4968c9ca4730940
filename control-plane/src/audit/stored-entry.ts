import { createHash } from 'node:crypto';
import { z } from 'zod';

/** An entry as it is stored, personal values still set apart; texts are to the byte what the hash covers. */
export const StoredEntry = z.object({
  chain_id: z.bigint(),
  sequence: z.bigint(),
  at: z.string(),
  actor_kind: z.string(),
  actor_id: z.string().nullable(),
  actor: z.string().nullable(),
  action: z.string(),
  target_kind: z.string().nullable(),
  target_id: z.string().nullable(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  request_id: z.string().nullable(),
  personal: z.array(z.instanceof(Buffer)),
  previous: z.instanceof(Buffer),
  hash: z.instanceof(Buffer),
});
export type StoredEntry = z.output<typeof StoredEntry>;

/** The columns of `StoredEntry`; the instant to the microsecond, as the hash covers it. */
export const ENTRY_COLUMNS = `chain_id, sequence,
  to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  actor_kind, actor_id, actor, action, target_kind, target_id, before::text, after::text, request_id,
  personal, previous, hash`;

/** A personal value of an entry as it is stored; value and salt null: erased. */
export const StoredPersonal = z.object({
  sequence: z.bigint(),
  place: z.int(),
  value: z.string().nullable(),
  salt: z.instanceof(Buffer).nullable(),
});
export type StoredPersonal = z.output<typeof StoredPersonal>;

/**
 * What the hash of an entry covers, in its order. The database's audit_hash says the same in SQL; here it is once more,
 * so that nobody proves a chain with a function that was changed along with the chain.
 */
export function hashedFields(entry: StoredEntry): (string | null)[] {
  return [
    entry.previous.toString('hex'),
    entry.chain_id.toString(),
    entry.sequence.toString(),
    entry.at,
    entry.actor_kind,
    entry.actor_id,
    entry.actor,
    entry.action,
    entry.target_kind,
    entry.target_id,
    entry.before,
    entry.after,
    entry.request_id,
    entry.personal.length === 0 ? null : entry.personal.map((commitment) => commitment.toString('hex')).join(' '),
  ];
}

/** sha-256 over the fields, each as its length in bytes, a colon, itself and a comma; "-," for none. */
export function hashOfFields(fields: readonly (string | null)[]): Buffer {
  const encoded = fields.map((field) => (field === null ? '-,' : `${Buffer.byteLength(field)}:${field},`));
  return createHash('sha256').update(encoded.join('')).digest();
}

/** What an entry keeps of a personal value. */
export function commitment(salt: Buffer, value: string): Buffer {
  return createHash('sha256').update(salt).update(value).digest();
}

/** Where a chain starts from. */
export function genesis(chain: bigint): Buffer {
  return createHash('sha256').update(`cloudfreedom audit chain ${chain}`).digest();
}
