import { z } from 'zod';
import type { TenantRecord } from '../../catalogue/tenant-record.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { NanoEur } from '../../pricing/money.ts';
import type { Services } from '../../services.ts';
import { gatewayTenant } from './caller.ts';
import { type Ceiling, ceilings, leaseBasis, ROUNDING_NANO_EUR, readLeaseBasis } from './lease-basis.ts';

/** As of an authorisation: attempts while the catalogue changes under us. */
const MAX_STALE_RETRIES = 5;

const PicoEur = z.string().regex(/^\d+$/).meta({ description: 'Millionths of a millionth of a euro, rounded up' });

const CeilingBody = z.object({
  mode: z.enum(['chat', 'embedding', 'image']),
  contextTokens: z.int().nullable().meta({ description: 'More input is never billed; null: any' }),
  maxOutputTokens: z.int().meta({ description: 'Of an answer that the client sets no limit for' }),
  inputPicoEur: PicoEur,
  audioInputPicoEur: PicoEur.meta({ description: 'Instead of inputPicoEur, where some input may be audio' }),
  outputPicoEur: PicoEur,
  imagePicoEur: PicoEur,
});

const Granted = z.object({
  outcome: z.literal('granted'),
  leaseId: z.uuid(),
  leftNanoEur: NanoEur,
  seconds: z.int().meta({ description: 'It may be spent from for so long after this was asked' }),
  roundingNanoEur: NanoEur.meta({ description: 'To be added to each call’s sum of ceilings' }),
  models: z.record(z.string(), CeilingBody),
});
const Denied = z.object({
  outcome: z.enum(['denied', 'ended']).meta({ description: 'denied: give back what you have; ended: take another' }),
  leaseId: z.uuid(),
});
type Answer = z.input<typeof Granted> | z.input<typeof Denied>;

/**
 * A slice of the budget for one gateway, to authorise from by itself while we do not answer. The same question again
 * makes it last longer; POST /v1/gateway/void gives it back.
 */
export const lease = route({
  method: 'post',
  path: '/v1/gateway/leases',
  id: 'lease',
  summary: 'Hold a slice of the budget in advance, or go on holding it',
  tag: 'Gateway',
  access: 'gateway',
  body: z.strictObject({ leaseId: z.uuid() }),
  responses: {
    200: { description: 'What the gateway may do without asking', schema: z.union([Granted, Denied]) },
    401: { description: 'Not a gateway of any tenant', schema: Problem },
  },
  run: async (services, { body, principal }) => {
    const answer = await decide(services, gatewayTenant(principal), body.leaseId);
    services.metrics.leases.inc({ outcome: answer.outcome });
    return { status: 200, body: answer };
  },
});

async function decide(services: Services, caller: TenantRecord, leaseId: string): Promise<Answer> {
  let tenant = caller;
  for (let attempt = 0; attempt < MAX_STALE_RETRIES; attempt += 1) {
    const { registration } = tenant;
    if (tenant.state === 'closed' || registration.suspended || registration.lease === null) {
      return { outcome: 'denied', leaseId };
    }
    const { amountNanoEur, seconds } = registration.lease;
    const catalogue = await services.catalogue.snapshot();
    const basis = leaseBasis(catalogue, registration);
    const taken = await services.leases.take({
      account: tenant.account,
      tenant: tenant.id,
      tenantRevision: tenant.revision,
      catalogueRevision: catalogue.revision,
      leaseId,
      basis,
      wishedNanoEur: BigInt(amountNanoEur),
      holdTtlMs: seconds * 1000 + services.holdTtlMs,
    });
    if (taken.outcome === 'granted') {
      const kept = readLeaseBasis(basis);
      const models = [...ceilings(kept.book, kept.tenant)].map(
        ([name, ceiling]) => [name, inStrings(ceiling)] as const,
      );
      return {
        outcome: 'granted',
        leaseId,
        leftNanoEur: taken.leftNanoEur.toString(),
        seconds,
        roundingNanoEur: ROUNDING_NANO_EUR.toString(),
        models: Object.fromEntries(models),
      };
    }
    if (taken.outcome !== 'stale') return { outcome: taken.outcome, leaseId };
    services.catalogue.forget();
    tenant = (await services.catalogue.tenantByName(tenant.name)) ?? tenant;
  }
  throw new Error('the catalogue kept changing while a lease was priced');
}

function inStrings(ceiling: Ceiling): z.input<typeof CeilingBody> {
  return {
    ...ceiling,
    inputPicoEur: ceiling.inputPicoEur.toString(),
    audioInputPicoEur: ceiling.audioInputPicoEur.toString(),
    outputPicoEur: ceiling.outputPicoEur.toString(),
    imagePicoEur: ceiling.imagePicoEur.toString(),
  };
}
