import { z } from 'zod';
import type { TenantRecord } from '../../catalogue/tenant-record.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { LeasedCall } from '../../ledger/leases.ts';
import type { SettleInput, SettleOutcome } from '../../ledger/ledger.ts';
import { payloadHash } from '../../ledger/payload-hash.ts';
import type { HoldTerms } from '../../ledger/terms.ts';
import { addsUp, type Charge, chargeForUsage, type Usage } from '../../pricing/cost.ts';
import { NanoEur } from '../../pricing/money.ts';
import type { UnitPrices } from '../../pricing/price.ts';
import type { Services } from '../../services.ts';
import { Traceparent, traceIdOf } from '../../trace-context.ts';
import { AuthoriseBody } from './authorise.ts';
import { gatewayTenant } from './caller.ts';
import { readLeaseBasis } from './lease-basis.ts';
import { priceRequest } from './price-request.ts';

const MAX_TOKENS = 100_000_000;
const MAX_IMAGES = 1_000;

const Tokens = z.int().min(0).max(MAX_TOKENS);
const Instant = z.iso.datetime({ offset: true });

const SettleBody = z.strictObject({
  requestId: z.uuid(),
  modelServed: z.string().min(1).max(200),
  usage: z.strictObject({
    inputTokens: Tokens,
    cachedInputTokens: Tokens,
    cacheWriteTokens: Tokens,
    audioInputTokens: Tokens.default(0),
    outputTokens: Tokens.meta({ description: 'Reasoning included, audio not' }),
    audioOutputTokens: Tokens.default(0),
    images: z.int().min(0).max(MAX_IMAGES),
    totalTokens: Tokens.nullable()
      .default(null)
      .meta({ description: 'The provider’s own sum of all tokens, where it gave one' }),
  }),
  cacheHit: z.boolean(),
  finish: z.enum(['complete', 'interrupted']),
  startedAt: Instant,
  firstTokenAt: Instant.nullable(),
  endedAt: Instant,
  traceparent: Traceparent.optional(),
  lease: AuthoriseBody.omit({ requestId: true, language: true, traceparent: true })
    .extend({ leaseId: z.uuid() })
    .optional()
    .meta({ description: 'The call was never authorised: it was made within this lease, and this was asked' }),
});

const NOTHING: Charge = { costNanoEur: 0n, marginNanoEur: 0n, totalNanoEur: 0n };

/** What the call really used: billed on the terms it was authorised on, once, however often this is delivered. */
export const settle = route({
  method: 'post',
  path: '/v1/gateway/settle',
  id: 'settle',
  summary: 'Bill a call by what it used',
  tag: 'Gateway',
  access: 'gateway',
  body: SettleBody,
  responses: {
    200: {
      description: 'Billed, now or when this was first delivered',
      schema: z.object({
        outcome: z.literal('posted'),
        requestId: z.uuid(),
        late: z.boolean().meta({ description: 'It came after its hold had expired or been voided' }),
        costNanoEur: NanoEur,
        marginNanoEur: NanoEur,
        totalNanoEur: NanoEur,
        postedNanoEur: NanoEur,
        overrunNanoEur: NanoEur,
      }),
    },
    404: { description: 'No such request, or no such lease', schema: Problem },
    409: { description: 'Settled with other figures, or never authorised', schema: Problem },
  },
  run: async (services, { body, principal, traceId }) => {
    const tenant = gatewayTenant(principal);
    const leased = body.lease && (await pricedWithin(services, tenant, body.lease));
    if (leased === 'unknown') {
      return {
        status: 404,
        body: problem(404, 'lease_unknown', 'there never was such a lease, or not for this model'),
      };
    }
    const terms = leased ? leased.terms : await services.ledger.termsOf(tenant.account, body.requestId);
    const prices = terms === undefined ? undefined : pricesOfServed(services, tenant, terms, body.modelServed);
    const charge = terms && prices && !body.cacheHit ? chargeForUsage(body.usage, prices, terms) : NOTHING;
    const input: SettleInput = {
      account: tenant.account,
      requestId: body.requestId,
      settlement: payloadHash({ ...body, traceparent: undefined }),
      modelServed: body.modelServed,
      usage: body.usage satisfies Usage,
      charge,
      prices: prices ?? null,
      cacheHit: body.cacheHit,
      finish: body.finish,
      startedAt: body.startedAt,
      firstTokenAt: body.firstTokenAt,
      endedAt: body.endedAt,
      traceId: traceId ?? traceIdOf(body.traceparent),
    };
    const outcome = leased ? await services.leases.settle(input, leased) : await services.ledger.settle(input);
    if (outcome.outcome === 'posted' && !body.cacheHit) checkSum(services, tenant, body.requestId, body.usage);
    count(services, outcome, body.requestId, tenant);
    return answerOf(outcome, body.requestId);
  },
});

type LeasedBody = NonNullable<z.output<typeof SettleBody>['lease']>;

/** What a call made within a lease is billed by: the prices that the lease was made on. */
async function pricedWithin(
  services: Services,
  tenant: TenantRecord,
  call: LeasedBody,
): Promise<LeasedCall | 'unknown'> {
  const basis = await services.leases.basisOf(tenant.account, call.leaseId);
  if (basis === undefined) return 'unknown';
  const { book, tenant: leasedBy } = readLeaseBasis(basis);
  const priced = priceRequest(book, leasedBy, call);
  if ('fault' in priced) return 'unknown';
  return {
    leaseId: call.leaseId,
    tenant: tenant.id,
    keySha256: Buffer.from(call.keySha256, 'hex'),
    user: call.user,
    boundNanoEur: priced.amountNanoEur,
    maxOutputTokens: priced.maxOutputTokens,
    terms: priced.terms,
    holdTtlMs: services.holdTtlMs,
  };
}

/** A model the request could not reach was served by mistake somewhere: it is billed as the one that was asked for. */
function pricesOfServed(
  services: Services,
  tenant: TenantRecord,
  terms: HoldTerms,
  modelServed: string,
): UnitPrices | undefined {
  const prices = terms.prices[modelServed];
  if (prices !== undefined) return prices;
  services.metrics.unknownModelServed.inc();
  services.log.warn({ tenant: tenant.name, asked: terms.model }, 'a settlement names a model out of reach');
  return terms.prices[terms.model];
}

/** Tokens that the provider counted and the gateway found in no bucket are an alarm; the buckets are billed. */
function checkSum(services: Services, tenant: TenantRecord, requestId: string, usage: Usage): void {
  if (addsUp(usage)) return;
  services.metrics.usageSumMismatches.inc();
  services.log.error({ tenant: tenant.name, requestId, usage }, 'the token buckets are not what the provider counted');
}

function count(services: Services, outcome: SettleOutcome, requestId: string, tenant: TenantRecord): void {
  const late = outcome.outcome === 'posted' && outcome.late;
  services.metrics.settlements.inc({ outcome: late ? 'posted_late' : outcome.outcome });
  if (outcome.outcome !== 'posted' || outcome.overrunNanoEur === 0n) return;
  services.metrics.overruns.inc({ reason: late ? 'late' : 'above_hold' });
  services.metrics.overrunNanoEur.inc(Number(outcome.overrunNanoEur));
  const { holdNanoEur, totalNanoEur, overrunNanoEur } = outcome;
  services.log.error(
    {
      tenant: tenant.name,
      requestId,
      late,
      hold: `${holdNanoEur}`,
      total: `${totalNanoEur}`,
      overrun: `${overrunNanoEur}`,
    },
    'a settlement did not fit: overrun',
  );
}

function answerOf(outcome: SettleOutcome, requestId: string) {
  switch (outcome.outcome) {
    case 'posted':
    case 'replayed':
      return {
        status: 200,
        body: {
          outcome: 'posted',
          requestId,
          late: outcome.late,
          costNanoEur: outcome.costNanoEur.toString(),
          marginNanoEur: outcome.marginNanoEur.toString(),
          totalNanoEur: outcome.totalNanoEur.toString(),
          postedNanoEur: outcome.postedNanoEur.toString(),
          overrunNanoEur: outcome.overrunNanoEur.toString(),
        },
      };
    case 'unknown':
      return {
        status: 404,
        body: problem(404, 'request_unknown', 'no request with this requestId was ever authorised'),
      };
    case 'conflict': {
      const detail = 'this request was settled with other figures; what was billed first stands';
      return { status: 409, body: problem(409, 'settled_differently', detail) };
    }
    case 'not_authorised': {
      const detail = 'this request was refused or voided before it was authorised; it cannot be billed';
      return { status: 409, body: problem(409, 'not_authorised', detail) };
    }
  }
}
