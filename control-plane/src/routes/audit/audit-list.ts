import { z } from 'zod';
import { newestEntries } from '../../audit/read.ts';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import type { Answer } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { AuditEntryView, AuditFilterFields, auditEntryView, readFilter } from './audit-view.ts';

export const AuditListQuery = PageQuery.extend(AuditFilterFields);
export const AuditPage = pageOf(AuditEntryView);

/** More than any chain will have. */
const AFTER_THE_LAST = '9223372036854775807';
const Position = z.string().regex(/^\d{1,19}$/);

/** A page of a chain, newest first. */
export async function auditPage(
  services: Services,
  chain: bigint,
  query: z.output<typeof AuditListQuery>,
): Promise<Answer> {
  const before = BigInt(readCursor(query.cursor, Position, AFTER_THE_LAST));
  const entries = await newestEntries(services.pool, chain, readFilter(query), before, query.limit + 1);
  const { items, nextCursor } = page(entries, query.limit, ({ entry }) => entry.sequence.toString());
  return { status: 200, body: { items: items.map(auditEntryView), nextCursor } };
}
