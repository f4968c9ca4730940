import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { endChatData as end } from '../../privacy/chat-data.ts';
import { gatewayTenant } from '../gateway/caller.ts';
import { noSuchChatDataRequest } from './no-such-request.ts';

const MAX_COUNT = 2 ** 31 - 1;
const Count = z.int().min(0).max(MAX_COUNT);

export const endChatData = route({
  method: 'post',
  path: '/v1/gateway/chat-data/{request}/end',
  id: 'endChatData',
  summary: 'Say that a request is done, or why it was not possible this time',
  tag: 'Gateway',
  access: 'gateway',
  params: z.strictObject({ request: z.uuid() }),
  body: z.discriminatedUnion('outcome', [
    z.strictObject({
      outcome: z.literal('done'),
      found: Count.meta({ description: 'Rows that were exported or erased' }),
      parts: Count.meta({ description: 'Pieces that were brought; 0 of an erasure' }),
    }),
    z.strictObject({ outcome: z.literal('failed'), error: z.string().max(500) }),
  ]),
  responses: {
    204: { description: 'Noted; what failed is offered again' },
    404: { description: 'No such request is waiting', schema: Problem },
    409: { description: 'Pieces are missing', schema: Problem },
    422: { description: 'The input is not valid', schema: Problem },
  },
  run: async ({ pool }, { params, body, principal }) => {
    const { id } = gatewayTenant(principal);
    switch (await inTransaction(pool, (client) => end(client, id, params.request, body))) {
      case 'unknown':
        return noSuchChatDataRequest();
      case 'incomplete':
        return { status: 409, body: problem(409, 'parts_missing', 'not all pieces of this export are here') };
      default:
        return { status: 204 };
    }
  },
});
