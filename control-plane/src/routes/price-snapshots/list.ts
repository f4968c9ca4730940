import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { route } from '../../http/route.ts';
import { PriceSnapshotSummary, SNAPSHOT_COLUMNS, snapshotSummary } from './snapshot-view.ts';

export const listPriceSnapshots = route({
  method: 'get',
  path: '/v1/price-snapshots',
  id: 'listPriceSnapshots',
  summary: 'All price snapshots, oldest first',
  tag: 'Models',
  access: 'admin',
  query: PageQuery,
  responses: { 200: { description: 'A page', schema: pageOf(PriceSnapshotSummary) } },
  run: async ({ pool }, { query }) => {
    const after = readCursor(query.cursor, z.string().regex(/^\d{1,18}$/), '0');
    const { rows } = await pool.query<{ sequence: bigint }>(
      `select ${SNAPSHOT_COLUMNS} from price_snapshot where sequence > $1 order by sequence limit $2`,
      [after, query.limit + 1],
    );
    const { items, nextCursor } = page(rows, query.limit, ({ sequence }) => sequence.toString());
    return { status: 200, body: { items: items.map(snapshotSummary), nextCursor } };
  },
});
