import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { payloadHash } from '../../ledger/payload-hash.ts';
import { MAX_AMOUNT_NANO_EUR } from '../../pricing/money.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { GrantAnswer, grantAnswer, Note } from './grant-view.ts';

const Amount = z
  .string()
  .regex(/^-?[1-9][0-9]{0,18}$/, { error: 'must be a whole number of nano-euro as a string, not zero', abort: true })
  .refine((text) => BigInt(text) <= MAX_AMOUNT_NANO_EUR && BigInt(text) >= -MAX_AMOUNT_NANO_EUR, {
    message: `must not exceed ${MAX_AMOUNT_NANO_EUR} nano-euro`,
  })
  .meta({ description: 'Integer nano-EUR as a decimal string', example: '5000000000' });

const Body = z
  .strictObject({
    source: z.enum(['top_up', 'promotion', 'correction']),
    amountNanoEur: Amount,
    priority: z
      .int()
      .min(0)
      .max(1000)
      .optional()
      .meta({ description: 'Lower is spent first. Default: plan 10, promotion 20, others 30' }),
    expiresAt: z.iso.datetime({ offset: true }).optional().meta({ description: 'What is left of it then lapses' }),
    note: Note.optional(),
  })
  .refine(({ source, amountNanoEur }) => source === 'correction' || !amountNanoEur.startsWith('-'), {
    path: ['amountNanoEur'],
    message: 'only a correction may be negative',
  })
  .refine(({ amountNanoEur, priority, expiresAt }) => !amountNanoEur.startsWith('-') || !(priority ?? expiresAt), {
    path: ['amountNanoEur'],
    message: 'what takes money has neither priority nor expiry',
  });

export const createGrant = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/grants',
  id: 'createGrant',
  summary: 'Top up, promote or correct a budget, once per Idempotency-Key',
  tag: 'Grants',
  access: 'admin',
  params: TenantParams,
  body: Body,
  idempotent: true,
  responses: {
    200: { description: 'Granted when this was first sent', schema: GrantAnswer },
    201: { description: 'Granted', schema: GrantAnswer },
    404: { description: 'No such tenant', schema: Problem },
    409: { description: 'The key was used for something else, or a correction takes too much', schema: Problem },
    422: { description: 'The input is not valid, or the grant would have expired already', schema: Problem },
  },
  run: (services, { params, body, idempotencyKey }) =>
    withTenant(services, params.tenant, async ({ account }) => {
      const { source, note, priority, expiresAt } = body;
      const options = { priority, expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt) };
      const payload = payloadHash({ operation: 'grant', ...body });
      const amount = BigInt(body.amountNanoEur);
      return grantAnswer(
        await services.ledger.addGrant(
          account,
          `api:${idempotencyKey}`,
          payload,
          source,
          amount,
          note ?? null,
          options,
        ),
      );
    }),
});
