import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { reconcile } from '../../reconcile/reconcile.ts';
import { ReconciliationView, reconciliationView } from './reconciliation-view.ts';

export const createReconciliation = route({
  method: 'post',
  path: '/v1/reconciliations',
  id: 'createReconciliation',
  summary: 'Compare the ledger with its replay and with what the gateways reported, now',
  tag: 'Reconciliations',
  access: 'admin',
  limit: 'expensive',
  body: z.strictObject({}),
  responses: {
    201: { description: 'What was found. It is stored, should the answer not arrive', schema: ReconciliationView },
    409: { description: 'A comparison is under way', schema: Problem },
  },
  run: async ({ pool, now }) => {
    const done = await reconcile(pool, { cause: 'admin' }, now);
    if (done !== undefined) return { status: 201, body: reconciliationView(done) };
    const detail = 'a comparison is under way; GET /v1/reconciliations shows its result when it is done';
    return { status: 409, body: problem(409, 'reconciliation_under_way', detail) };
  },
});
