import type pg from 'pg';
import { canonicalJson, plain, storable } from './canonical.ts';
import { difference } from './difference.ts';
import { type AuditEntry, isPersonalKind } from './entry.ts';
import { type PersonalValue, PersonalValues } from './personal.ts';
import { redact } from './redact.ts';

/** The chain of what belongs to no tenant. */
export const PLATFORM_CHAIN = 0n;
/** Characters that before and after may have; a larger one is kept by its size alone. */
const MAX_DOCUMENT_LENGTH = 32_768;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Characters kept of a text that someone else chose: a user agent, an id. */
const MAX_TEXT_LENGTH = 512;

/**
 * Appends an entry to the chain of its tenant or the platform, in the caller's transaction. Call it last in that
 * transaction, a tenant's entry before one of the platform: the chain is locked until the commit.
 * @returns its number in the chain
 */
export async function appendAudit(client: pg.Pool | pg.PoolClient, entry: AuditEntry): Promise<bigint> {
  const { columns, personal } = prepareEntry(entry);
  const { rows } = await client.query<{ sequence: bigint }>({
    name: 'audit_append',
    text: 'select audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as sequence',
    values: [...columns, personal.map(({ value }) => value), personal.map(({ subject }) => subject)],
  });
  if (rows[0] === undefined) throw new Error('audit_append returned nothing');
  return rows[0].sequence;
}

/** Decides what of an entry is stored, and where: secrets redacted, personal values set apart, documents canonical. */
export function prepareEntry(entry: AuditEntry): { columns: unknown[]; personal: readonly PersonalValue[] } {
  const { actor, from, target } = entry;
  const personal = new PersonalValues();
  const about = { name: actor.name, address: from?.address ?? null, userAgent: from?.userAgent ?? null };
  const anything = Object.values(about).some((value) => value !== null);
  const owner = idOf(actor.personId ?? (actor.kind === 'person' ? actor.id : null));
  const who = anything ? personal.put(canonicalJson(shortened(redact(about))), owner) : null;
  const changed = changeOf(entry);
  const isPersonal = target !== undefined && target !== null && isPersonalKind(target.kind);
  const document = (value: unknown): string | null => {
    if (value === undefined || value === null) return null;
    const clean = redact(value);
    const text = canonicalJson(clean);
    if (text.length > MAX_DOCUMENT_LENGTH) return canonicalJson({ tooLarge: text.length });
    if (isPersonal) return canonicalJson(personal.put(text, idOf(target.id)));
    return canonicalJson(personal.mailAddressesOf(clean));
  };
  const columns = [
    entry.tenant ?? PLATFORM_CHAIN,
    actor.kind,
    text(actor.id, personal),
    who,
    entry.action,
    text(target?.kind, personal),
    text(target?.id, personal),
    document(changed.before),
    document(changed.after),
    text(entry.requestId, personal),
  ];
  return { columns, personal: personal.values };
}

/** Whether an entry with before and after would say that nothing changed. */
export function changesNothing({ before, after }: Pick<AuditEntry, 'before' | 'after'>): boolean {
  return before !== undefined && after !== undefined && difference(plain(before), plain(after)) === undefined;
}

function changeOf({ before, after }: AuditEntry): { before?: unknown; after?: unknown } {
  const [left, right] = [plain(before), plain(after)];
  return left === null || right === null ? { before: left, after: right } : (difference(left, right) ?? {});
}

function text(value: string | null | undefined, personal: PersonalValues): string | null {
  if (value === null || value === undefined) return null;
  return String(personal.mailAddressesOf(redact(storable(value.slice(0, MAX_TEXT_LENGTH)))));
}

function idOf(id: string | null): string | null {
  return id !== null && UUID.test(id) ? id : null;
}

function shortened(document: unknown): unknown {
  return Object.fromEntries(
    Object.entries(document as Record<string, string | null>).map(([key, value]) => [
      key,
      value?.slice(0, MAX_TEXT_LENGTH) ?? null,
    ]),
  );
}
