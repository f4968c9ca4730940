import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { payloadHash } from '../../ledger/payload-hash.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { GrantAnswer, grantAnswer, Note } from './grant-view.ts';

export const createReset = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/resets',
  id: 'createReset',
  summary: 'Give back what the period has cost so far, as a correction, once per Idempotency-Key',
  tag: 'Grants',
  access: 'admin',
  params: TenantParams,
  body: z.strictObject({ note: Note.optional() }),
  idempotent: true,
  responses: {
    200: { description: 'Given back when this was first sent', schema: GrantAnswer },
    201: { description: 'Given back; what came from the plan lapses with its period', schema: GrantAnswer },
    404: { description: 'No such tenant', schema: Problem },
    409: { description: 'The key was used for something else', schema: Problem },
  },
  run: (services, { params, body, idempotencyKey }) =>
    withTenant(services, params.tenant, async ({ account }) => {
      const payload = payloadHash({ operation: 'reset', ...body });
      const note = body.note ?? null;
      return grantAnswer(
        await services.ledger.addGrant(account, `api:${idempotencyKey}`, payload, 'correction', null, note),
      );
    }),
});
