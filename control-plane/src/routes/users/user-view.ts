import { z } from 'zod';

export const UserView = z
  .object({
    id: z.uuid(),
    externalId: z.string().nullable().meta({ description: 'The id the chat knows the user by' }),
    email: z.string().nullable(),
    name: z.string().nullable(),
    role: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });

const Row = z.object({
  id: z.uuid(),
  external_id: z.string().nullable(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  role: z.string(),
  created_at: z.date(),
});

export function userView(row: unknown): z.input<typeof UserView> {
  const { id, external_id, email, name, role, created_at } = Row.parse(row);
  return { id, externalId: external_id, email, name, role, createdAt: created_at.toISOString() };
}
