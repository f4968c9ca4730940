import { z } from 'zod';
import { Fault, Figures } from '../../reconcile/compare.ts';
import type { Reconciliation } from '../../reconcile/reconcile.ts';

export const ReconciliationView = z
  .object({
    id: z.uuid(),
    cause: z.enum(['night', 'admin']),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    ok: z.boolean().meta({ description: 'Nothing was found that does not add up' }),
    faults: z.array(Fault).meta({ description: 'At most 100 of each kind; figures.faults has their number' }),
    figures: Figures,
  })
  .meta({ id: 'Reconciliation' });

export function reconciliationView(row: Reconciliation): z.input<typeof ReconciliationView> {
  return { ...row, startedAt: row.startedAt.toISOString(), finishedAt: row.finishedAt.toISOString() };
}
