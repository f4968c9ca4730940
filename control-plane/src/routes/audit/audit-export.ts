import { z } from 'zod';
import { type EntryWithPersonal, entriesInOrder } from '../../audit/read.ts';
import { hashedFields } from '../../audit/stored-entry.ts';
import type { Answer } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { csvRecord } from '../../usage/csv.ts';
import { type AuditEntryView, AuditFilterFields, auditEntryView, readFilter } from './audit-view.ts';

const CONTENT_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

/** Content types of an export. */
export const EXPORT_TYPES = Object.values(CONTENT_TYPES);
export const AuditExportQuery = z.strictObject({
  ...AuditFilterFields,
  format: z.enum(['ndjson', 'csv']).default('ndjson').meta({
    description:
      'ndjson: one AuditEntry per line, with `proof`: the texts its hash covers and the salts of what is personal. csv: RFC 4180 with a header, without proof',
  }),
});

/** A chain as a file, oldest first. `name` becomes part of the file's name. */
export function auditExport(
  services: Services,
  chain: bigint,
  name: string,
  query: z.output<typeof AuditExportQuery>,
): Answer {
  const entries = entriesInOrder(services.pool, chain, readFilter(query));
  return {
    status: 200,
    body: query.format === 'csv' ? asCsv(entries) : asNdjson(entries),
    headers: {
      'content-type': `${CONTENT_TYPES[query.format]}; charset=utf-8`,
      'content-disposition': `attachment; filename="audit-${name}.${query.format}"`,
    },
  };
}

async function* asNdjson(entries: AsyncIterable<EntryWithPersonal>): AsyncGenerator<string> {
  for await (const { entry, personal } of entries) {
    const salts = personal.map(({ salt }) => salt?.toString('hex') ?? null);
    const proof = { fields: hashedFields(entry), salts };
    yield `${JSON.stringify({ ...auditEntryView({ entry, personal }), proof })}\n`;
  }
}

async function* asCsv(entries: AsyncIterable<EntryWithPersonal>): AsyncGenerator<string> {
  yield csvRecord(COLUMNS.map(([name]) => name));
  for await (const entry of entries) {
    const view = auditEntryView(entry);
    yield csvRecord(COLUMNS.map(([, cell]) => cell(view)));
  }
}

/** The columns of the CSV file. Those who read it by machine go by the names, so a name never changes its meaning. */
const COLUMNS: readonly (readonly [string, (entry: AuditEntryView) => string | number | null])[] = [
  ['sequence', ({ sequence }) => sequence],
  ['at', ({ at }) => at],
  ['actor_kind', ({ actor }) => actor.kind],
  ['actor_id', ({ actor }) => actor.id],
  ['actor_name', ({ actor }) => actor.name],
  ['address', ({ address }) => address],
  ['user_agent', ({ userAgent }) => userAgent],
  ['action', ({ action }) => action],
  ['target_kind', ({ target }) => target.kind],
  ['target_id', ({ target }) => target.id],
  ['before', ({ before }) => documentCell(before)],
  ['after', ({ after }) => documentCell(after)],
  ['request_id', ({ requestId }) => requestId],
  ['hash', ({ hash }) => hash],
];

function documentCell(document: unknown): string | null {
  return document === null || document === undefined ? null : JSON.stringify(document);
}
