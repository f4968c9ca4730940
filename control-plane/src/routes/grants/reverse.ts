import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import type { ReversalOutcome } from '../../ledger/ledger.ts';
import { payloadHash } from '../../ledger/payload-hash.ts';
import { NanoEur, SettableNanoEur } from '../../pricing/money.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { Note } from './grant-view.ts';

const ReversalView = z
  .object({
    id: z.uuid(),
    reverses: z.int().meta({ description: 'The line of the ledger that is taken back' }),
    amountNanoEur: NanoEur,
    note: z.string().nullable(),
    period: z.string(),
    sequence: z.int().meta({ description: 'Of its own line in the ledger' }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Reversal' });

const ReversalAnswer = z.object({ reversal: ReversalView });

export const createReversal = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/reversals',
  id: 'createReversal',
  summary: 'Take back a posting or a grant, or part of it, by a new line, once per Idempotency-Key',
  tag: 'Grants',
  access: 'admin',
  params: TenantParams,
  body: z.strictObject({
    sequence: z.int().min(1).meta({ description: 'The line of the ledger to take back: a post, or a grant' }),
    amountNanoEur: SettableNanoEur.refine((text) => text !== '0', 'must not be zero')
      .optional()
      .meta({ description: 'Absent: all that is left of it' }),
    note: Note.optional(),
  }),
  idempotent: true,
  responses: {
    200: { description: 'Taken back when this was first sent', schema: ReversalAnswer },
    201: { description: 'Taken back', schema: ReversalAnswer },
    404: { description: 'No such tenant or line', schema: Problem },
    409: { description: 'The key was used for something else, or there is not so much to take back', schema: Problem },
  },
  run: (services, { params, body, idempotencyKey }) =>
    withTenant(services, params.tenant, async ({ account }) => {
      const payload = payloadHash({ operation: 'reversal', ...body });
      const amount = body.amountNanoEur === undefined ? null : BigInt(body.amountNanoEur);
      const [key, sequence] = [`api:${idempotencyKey}`, BigInt(body.sequence)];
      return answerOf(await services.ledger.reverse(account, key, payload, sequence, amount, body.note ?? null));
    }),
});

function answerOf(outcome: ReversalOutcome): Answer {
  switch (outcome.outcome) {
    case 'created':
    case 'replayed': {
      const { reverses, sequence, amountNanoEur, createdAt, ...rest } = outcome.reversal;
      const reversal = {
        ...rest,
        reverses: Number(reverses),
        sequence: Number(sequence),
        amountNanoEur: amountNanoEur.toString(),
        createdAt: createdAt.toISOString(),
      };
      return outcome.outcome === 'replayed'
        ? { status: 200, body: { reversal }, audit: 'unchanged' }
        : { status: 201, body: { reversal }, audit: { target: `reversal/${rest.id}`, after: reversal } };
    }
    case 'conflict': {
      const detail = 'this Idempotency-Key was used for something else; nothing was changed';
      return { status: 409, body: problem(409, 'idempotency_key_reused', detail) };
    }
    case 'unknown':
      return {
        status: 404,
        body: problem(404, 'line_unknown', 'the ledger of this tenant has no line of this number'),
      };
    case 'not_reversible': {
      const detail = 'only a post, or a grant that did not come from the plan, can be taken back';
      return { status: 409, body: problem(409, 'not_reversible', detail) };
    }
    case 'exceeds': {
      const detail = `at most ${outcome.takeableNanoEur} nano-euro of this line can be taken back`;
      return { status: 409, body: problem(409, 'reversal_exceeds_line', detail) };
    }
  }
}
