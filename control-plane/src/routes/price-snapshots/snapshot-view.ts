import { z } from 'zod';
import { ModelPrices } from '../../pricing/price.ts';

export const PriceSnapshotSummary = z
  .object({
    id: z.string().meta({ description: 'The sha-256 of its content; every usage line names one' }),
    litellm: z.string().meta({ description: 'The LiteLLM release whose price file it was made from' }),
    createdAt: z.iso.datetime(),
    inForce: z.boolean().meta({ description: 'New requests are priced by it, unless their Model has prices' }),
  })
  .meta({ id: 'PriceSnapshotSummary' });

export const PriceSnapshot = PriceSnapshotSummary.extend({
  prices: z
    .record(z.string(), ModelPrices)
    .meta({ description: 'By provider and the provider’s name of the model, e.g. "openai/gpt-4o-mini"' }),
}).meta({ id: 'PriceSnapshot' });

/** What both views are made of. */
export const SNAPSHOT_COLUMNS = `id, litellm, created_at, sequence,
  sequence = (select max(sequence) from price_snapshot) as in_force`;

const Row = z.object({ id: z.string(), litellm: z.string(), created_at: z.date(), in_force: z.boolean() });

export function snapshotSummary(stored: unknown): z.input<typeof PriceSnapshotSummary> {
  const row = Row.parse(stored);
  return { id: row.id, litellm: row.litellm, createdAt: row.created_at.toISOString(), inForce: row.in_force };
}
