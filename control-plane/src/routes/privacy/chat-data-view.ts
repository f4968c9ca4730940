import { z } from 'zod';
import { type ChatDataState, EXPORT_DAYS } from '../../privacy/chat-data.ts';

export const ChatDataView = z
  .object({
    items: z.array(
      z.object({
        tenant: z.string(),
        state: z.enum(['waiting', 'done', 'failed']),
        askedAt: z.iso.datetime(),
        answeredAt: z.iso.datetime().nullable(),
      }),
    ),
  })
  .meta({
    id: 'ChatData',
    description: `What the chats of a person's tenants were asked for. An export can be fetched for ${EXPORT_DAYS} days`,
  });

export function chatDataView(states: readonly ChatDataState[]): z.input<typeof ChatDataView> {
  return {
    items: states.map(({ tenant, state, created_at, ended_at }) => ({
      tenant,
      state,
      askedAt: created_at.toISOString(),
      answeredAt: ended_at?.toISOString() ?? null,
    })),
  };
}
