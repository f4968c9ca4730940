import { z } from 'zod';
import { faultText } from '../../audit/fault-text.ts';
import { verifyChain } from '../../audit/verify.ts';
import type { Answer } from '../../http/route.ts';
import type { Services } from '../../services.ts';

/** Faults that are told; the first ones lead to the rest. */
const MAX_FAULTS = 100;

export const AuditVerification = z
  .object({
    proven: z.boolean().meta({ description: 'Every entry is what was written, none is missing, none was put in' }),
    entries: z.int(),
    prunedThrough: z.int().meta({ description: 'The last entry that retention took away; 0: none' }),
    lastSequence: z.int(),
    lastHash: z
      .string()
      .nullable()
      .meta({ description: 'Kept elsewhere, it proves later that nothing was cut off. null: nothing was written yet' }),
    erasedValues: z
      .int()
      .meta({ description: 'Personal values of people who were forgotten; the chain holds without' }),
    faults: z
      .array(
        z.object({
          sequence: z.int(),
          through: z.int().optional(),
          fault: z.enum(['changed', 'unlinked', 'missing', 'inserted', 'personal', 'head']),
          message: z.string(),
        }),
      )
      .max(MAX_FAULTS),
  })
  .meta({ id: 'AuditVerification' });

/** Proves a chain now. */
export async function auditVerification(services: Services, chain: bigint): Promise<Answer> {
  const { entries, prunedThrough, head, erasedValues, faults } = await verifyChain(services.pool, chain);
  if (faults.length > 0)
    services.log.error({ chain: chain.toString(), faults: faults.length }, 'the audit was tampered with');
  const body: z.input<typeof AuditVerification> = {
    proven: faults.length === 0,
    entries,
    prunedThrough: Number(prunedThrough),
    lastSequence: Number(head?.sequence ?? 0n),
    lastHash: head?.hash.toString('hex') ?? null,
    erasedValues,
    faults: faults.slice(0, MAX_FAULTS).map((fault) => ({
      sequence: Number(fault.sequence),
      ...(fault.through === undefined ? {} : { through: Number(fault.through) }),
      fault: fault.fault,
      message: faultText(fault),
    })),
  };
  return { status: 200, body };
}
