import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { storePart } from '../../privacy/chat-data.ts';
import { gatewayTenant } from '../gateway/caller.ts';
import { noSuchChatDataRequest } from './no-such-request.ts';

/** Characters of one piece: as JSON it stays within the size of a body. */
export const MAX_PART_LENGTH = 20_000;
/** Pieces of one export: some hundred megabytes. */
const MAX_PARTS = 20_000;

export const putChatDataPart = route({
  method: 'put',
  path: '/v1/gateway/chat-data/{request}/parts/{part}',
  id: 'putChatDataPart',
  summary: 'Bring a piece of an export; the same piece again replaces it',
  tag: 'Gateway',
  access: 'gateway',
  params: z.strictObject({ request: z.uuid(), part: z.coerce.number().int().min(0).max(MAX_PARTS) }),
  body: z.strictObject({ text: z.string().min(1).max(MAX_PART_LENGTH) }),
  responses: {
    204: { description: 'Kept, sealed' },
    404: { description: 'No such export is waiting', schema: Problem },
    422: { description: 'The input is not valid', schema: Problem },
  },
  run: async ({ pool, vault }, { params, body, principal }) => {
    const { id } = gatewayTenant(principal);
    const stored = await storePart(pool, vault, id, params.request, params.part, body.text);
    return stored ? { status: 204 } : noSuchChatDataRequest();
  },
});
