import { z } from 'zod';

export const WebhookView = z
  .object({
    url: z.string(),
    createdAt: z.iso.datetime(),
    changedAt: z.iso.datetime(),
    secret: z.string().optional().meta({
      description: 'Only in the answer that made it: whsec_ and the key in base64, as Standard Webhooks has it',
    }),
  })
  .meta({ id: 'Webhook' });

export const WebhookRow = z.object({ url: z.string(), created_at: z.date(), changed_at: z.date() });

export function webhookView(row: unknown): z.input<typeof WebhookView> {
  const { url, created_at, changed_at } = WebhookRow.parse(row);
  return { url, createdAt: created_at.toISOString(), changedAt: changed_at.toISOString() };
}
