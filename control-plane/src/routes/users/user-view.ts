import { z } from 'zod';
import { NanoEur } from '../../pricing/money.ts';

export const UserView = z
  .object({
    id: z.uuid(),
    externalId: z.string().nullable().meta({ description: 'The id the chat knows the user by' }),
    email: z.string().nullable(),
    name: z.string().nullable(),
    role: z.string(),
    monthlyBudgetNanoEur: NanoEur.nullable().meta({
      description: 'A limit of the user’s own; null: the tenant’s default',
    }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });

const Row = z.object({
  id: z.uuid(),
  external_id: z.string().nullable(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  role: z.string(),
  monthly_budget: z.bigint().nullable(),
  created_at: z.date(),
});

export function userView(row: unknown): z.input<typeof UserView> {
  const { id, external_id, email, name, role, monthly_budget, created_at } = Row.parse(row);
  const monthlyBudgetNanoEur = monthly_budget?.toString() ?? null;
  return { id, externalId: external_id, email, name, role, monthlyBudgetNanoEur, createdAt: created_at.toISOString() };
}
