import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { route } from '../../http/route.ts';
import { ReconciliationRow } from '../../reconcile/reconcile.ts';
import { ReconciliationView, reconciliationView } from './reconciliation-view.ts';

const Position = z.tuple([z.string(), z.uuid()]);
const START: z.output<typeof Position> = ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];

export const listReconciliations = route({
  method: 'get',
  path: '/v1/reconciliations',
  id: 'listReconciliations',
  summary: 'Comparisons of the ledger, newest first',
  tag: 'Reconciliations',
  access: 'admin',
  query: PageQuery,
  responses: { 200: { description: 'A page', schema: pageOf(ReconciliationView) } },
  run: async ({ pool }, { query }) => {
    const [at, id] = readCursor(query.cursor, Position, START);
    const { rows } = await pool.query<{ id: string; position: string }>(
      `select *, started_at::text as position from reconciliation
       where (started_at, id) < ($1, $2) order by started_at desc, id desc limit $3`,
      [at, id, query.limit + 1],
    );
    const { items, nextCursor } = page(rows, query.limit, (row) => [row.position, row.id]);
    return {
      status: 200,
      body: { items: items.map((row) => reconciliationView(ReconciliationRow.parse(row))), nextCursor },
    };
  },
});
