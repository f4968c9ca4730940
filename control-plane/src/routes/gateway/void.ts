import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { gatewayTenant } from './caller.ts';

/** The call was not made, or came to nothing that costs: its hold is given back. A lease is given back the same way. */
export const voidRequest = route({
  method: 'post',
  path: '/v1/gateway/void',
  id: 'void',
  summary: 'Give a hold back unused',
  tag: 'Gateway',
  access: 'gateway',
  body: z.strictObject({
    requestId: z.uuid(),
    reason: z.enum(['upstream_failure', 'client_gone', 'gateway_lost', 'authorise_unknown', 'lease_returned']),
  }),
  responses: {
    200: {
      description: 'Nothing is held for it any more. A void before its authorise refuses that authorise',
      schema: z.object({ outcome: z.enum(['voided', 'expired', 'refused']), requestId: z.uuid() }),
    },
    409: { description: 'It was billed already', schema: Problem },
  },
  run: async ({ ledger, metrics }, { body, principal }) => {
    const outcome = await ledger.void(gatewayTenant(principal).account, body.requestId, body.reason);
    if (outcome === 'posted') {
      return { status: 409, body: problem(409, 'already_posted', 'this request was billed; a bill is not voided') };
    }
    metrics.voids.inc({ reason: body.reason });
    return { status: 200, body: { outcome, requestId: body.requestId } };
  },
});
