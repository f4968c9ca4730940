import { z } from 'zod';
import { HttpProblem } from './problem.ts';

/** Items on one page of a list. */
export const MAX_PAGE_SIZE = 500;
const DEFAULT_PAGE_SIZE = 100;

/** The query of every list. */
export const PageQuery = z.strictObject({
  cursor: z.string().max(512).optional().meta({ description: 'nextCursor of the page before; absent: from the start' }),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE),
});
export type PageQuery = z.output<typeof PageQuery>;

/** The schema of a page. `nextCursor` null: this was the last one. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** Reads a cursor. Cursors are ours alone: their inside may change with any version. @throws HttpProblem 422 */
export function readCursor<Position>(
  cursor: string | undefined,
  position: z.ZodType<Position>,
  start: Position,
): Position {
  if (cursor === undefined) return start;
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new HttpProblem(422, 'invalid_input', 'cursor: is not one of ours; start without it', {
      errors: [{ path: 'cursor', message: 'is not a nextCursor of this list' }],
    });
  }
}

/** Builds a page from one row more than was asked for: the surplus one says that there are more. */
export function page<Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => unknown) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  const nextCursor = more ? Buffer.from(JSON.stringify(positionOf(last))).toString('base64url') : null;
  return { items, nextCursor };
}
