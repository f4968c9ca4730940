import type pg from 'pg';
import { z } from 'zod';
import { type PageQuery, page, readCursor } from '../../http/paging.ts';
import { keyView } from './key-view.ts';

const Position = z.tuple([z.string(), z.uuid()]);
const START: z.output<typeof Position> = ['-infinity', '00000000-0000-0000-0000-000000000000'];

/** A tenant's keys, or one person's among them, oldest first. */
export async function pageOfKeys(pool: pg.Pool, tenantId: bigint, query: PageQuery, personId: string | null = null) {
  const [at, id] = readCursor(query.cursor, Position, START);
  const { rows } = await pool.query<{ id: string; position: string }>(
    `select *, created_at::text as position from api_key
     where tenant_id = $1 and (created_at, id) > ($2, $3) and ($5::uuid is null or person_id = $5)
     order by created_at, id limit $4`,
    [tenantId, at, id, query.limit + 1, personId],
  );
  const { items, nextCursor } = page(rows, query.limit, (row) => [row.position, row.id]);
  return { items: items.map(keyView), nextCursor };
}
