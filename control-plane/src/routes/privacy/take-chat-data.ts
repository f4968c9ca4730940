import { z } from 'zod';
import { route } from '../../http/route.ts';
import { takeChatData as take } from '../../privacy/chat-data.ts';
import { gatewayTenant } from '../gateway/caller.ts';

const Taken = z
  .object({
    request: z
      .object({
        id: z.uuid(),
        kind: z.enum(['export', 'erase']),
        personId: z.uuid(),
        externalIds: z.array(z.string()),
        emails: z.array(z.string()),
      })
      .nullable(),
  })
  .meta({ id: 'ChatDataRequest', description: 'Whose data the tenant’s chat is asked for; null: nobody’s' });

export const takeChatData = route({
  method: 'post',
  path: '/v1/gateway/chat-data/take',
  id: 'takeChatData',
  summary: 'Take the next request for a person’s chats, for half an hour',
  tag: 'Gateway',
  access: 'gateway',
  responses: { 200: { description: 'The request, or that there is none', schema: Taken } },
  run: async ({ pool, vault }, { principal }) => {
    const taken = await take(pool, vault, gatewayTenant(principal).id);
    const request = taken === undefined ? null : { id: taken.id, kind: taken.kind, ...taken.subject };
    return { status: 200, body: { request } };
  },
});
