import { z } from 'zod';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import type { Grant, GrantOutcome } from '../../ledger/ledger.ts';

export const GrantView = z
  .object({
    id: z.uuid(),
    source: z.enum(['plan', 'top_up', 'promotion', 'correction']),
    amountNanoEur: z.string().regex(/^-?\d+$/),
    priority: z.int().meta({ description: 'Money of lower numbers is spent first' }),
    expiresAt: z.iso.datetime().nullable().meta({ description: 'When what is left of it lapses; null: never' }),
    sequence: z.int().meta({ description: 'Of its line in the ledger; a reversal names it' }),
    note: z.string().nullable(),
    period: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Grant' });

export const GrantAnswer = z.object({ grant: GrantView });

export const Note = z.string().min(1).max(500);

export function grantView(grant: Grant) {
  return {
    id: grant.id,
    source: grant.source,
    amountNanoEur: grant.amountNanoEur.toString(),
    priority: grant.priority,
    expiresAt: grant.expiresAt?.toISOString() ?? null,
    sequence: Number(grant.sequence),
    note: grant.note,
    period: grant.period,
    createdAt: grant.createdAt.toISOString(),
  };
}

export function grantAnswer(outcome: GrantOutcome): Answer {
  switch (outcome.outcome) {
    case 'created':
    case 'replayed': {
      const grant = grantView(outcome.grant);
      return outcome.outcome === 'replayed'
        ? { status: 200, body: { grant }, audit: 'unchanged' }
        : { status: 201, body: { grant }, audit: { target: `grant/${grant.id}`, after: grant } };
    }
    case 'conflict': {
      const detail = 'this Idempotency-Key was used for something else; nothing was changed';
      return { status: 409, body: problem(409, 'idempotency_key_reused', detail) };
    }
    case 'expired': {
      const errors = [{ path: 'expiresAt', message: 'lies in the past' }];
      return { status: 422, body: problem(422, 'invalid_input', 'expiresAt: lies in the past', { errors }) };
    }
    case 'insufficient': {
      const detail = `a correction can take at most the ${outcome.takeableNanoEur} nano-euro that are neither posted nor held`;
      return { status: 409, body: problem(409, 'correction_exceeds_available', detail) };
    }
  }
}
