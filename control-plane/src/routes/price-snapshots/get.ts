import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { ModelPrices } from '../../pricing/price.ts';
import { PriceSnapshot, SNAPSHOT_COLUMNS, snapshotSummary } from './snapshot-view.ts';

const Prices = z.object({ prices: z.record(z.string(), ModelPrices) });

export const getPriceSnapshot = route({
  method: 'get',
  path: '/v1/price-snapshots/{snapshot}',
  id: 'getPriceSnapshot',
  summary: 'The prices that requests of its time were billed by',
  tag: 'Models',
  access: 'admin',
  params: z.strictObject({ snapshot: z.string().max(64) }),
  responses: {
    200: { description: 'The snapshot', schema: PriceSnapshot },
    404: { description: 'No such snapshot', schema: Problem },
  },
  run: async ({ pool }, { params }) => {
    const { rows } = await pool.query<object>(`select ${SNAPSHOT_COLUMNS}, prices from price_snapshot where id = $1`, [
      params.snapshot,
    ]);
    if (rows[0] === undefined) {
      const detail = `there is no price snapshot ${params.snapshot}; GET /v1/price-snapshots lists them`;
      return { status: 404, body: problem(404, 'price_snapshot_unknown', detail) };
    }
    return { status: 200, body: { ...snapshotSummary(rows[0]), prices: Prices.parse(rows[0]).prices } };
  },
});
