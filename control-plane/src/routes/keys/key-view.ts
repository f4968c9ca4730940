import { z } from 'zod';
import { NanoEur } from '../../pricing/money.ts';

export const KeyView = z
  .object({
    id: z.uuid(),
    kind: z.enum(['api', 'chat']),
    name: z.string(),
    userId: z.uuid().nullable(),
    monthlyBudgetNanoEur: NanoEur.nullable().meta({
      description: 'A limit of the key’s own; null: the tenant’s default',
    }),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Key', description: 'A key without its secret, which is not stored' });

const Row = z.object({
  id: z.uuid(),
  kind: z.enum(['api', 'chat']),
  name: z.string(),
  member_id: z.uuid().nullable(),
  monthly_budget: z.bigint().nullable(),
  created_at: z.date(),
  expires_at: z.date().nullable(),
  revoked_at: z.date().nullable(),
});

export function keyView(row: unknown): z.input<typeof KeyView> {
  const key = Row.parse(row);
  return {
    id: key.id,
    kind: key.kind,
    name: key.name,
    userId: key.member_id,
    monthlyBudgetNanoEur: key.monthly_budget?.toString() ?? null,
    createdAt: key.created_at.toISOString(),
    expiresAt: key.expires_at?.toISOString() ?? null,
    revokedAt: key.revoked_at?.toISOString() ?? null,
  };
}
