import { z } from 'zod';
import { ModelName, Sha256Hex } from '../../catalogue/registrations.ts';
import type { TenantRecord } from '../../catalogue/tenant-record.ts';
import { Problem, problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import type { AuthoriseOutcome } from '../../ledger/ledger.ts';
import { payloadHash } from '../../ledger/payload-hash.ts';
import { NanoEur } from '../../pricing/money.ts';
import type { Services } from '../../services.ts';
import { Traceparent, traceIdOf } from '../../trace-context.ts';
import { gatewayTenant } from './caller.ts';
import { type PricedRequest, type PricingFault, priceRequest } from './price-request.ts';
import { busyText, type Language, refusalText, spentText } from './refusal-text.ts';

/** Above any model's context and any sane request: what is larger is a fault of the caller. */
const MAX_TOKENS = 100_000_000;
const MAX_IMAGES = 100;
const MAX_CHOICES = 128;
/** A held budget frees up as answers end, long before their holds would expire. */
const MAX_RETRY_AFTER_SECONDS = 10;
/** Attempts at pricing anew while the catalogue changes under us. */
const MAX_STALE_RETRIES = 5;

const ShortText = z.string().max(320);

export const AuthoriseBody = z.strictObject({
  requestId: z.uuid(),
  keySha256: Sha256Hex,
  user: z
    .strictObject({
      externalId: z.string().min(1).max(320),
      email: ShortText.optional(),
      name: ShortText.optional(),
      role: z.string().max(40).optional(),
    })
    .optional(),
  model: z.string().min(1).max(200),
  callType: z.enum(['chat', 'embedding', 'image', 'responses', 'messages']),
  boundInputTokens: z.int().min(0).max(MAX_TOKENS),
  maxOutputTokens: z.int().min(0).max(MAX_TOKENS).nullable(),
  choices: z
    .int()
    .min(1)
    .max(MAX_CHOICES)
    .default(1)
    .meta({ description: 'Answers asked for; maxOutputTokens counts them together' }),
  reasoningTokens: z
    .int()
    .min(0)
    .max(MAX_TOKENS)
    .default(0)
    .meta({ description: 'What the model is asked to think before it answers, at most, in tokens' }),
  audioInput: z.boolean().default(false).meta({ description: 'Some of the input may be audio' }),
  language: z
    .enum(['de', 'en'])
    .optional()
    .meta({ description: 'What the user reads, where the gateway knows; else the tenant’s language' }),
  images: z.int().min(0).max(MAX_IMAGES),
  stream: z.boolean(),
  traceparent: Traceparent.optional(),
});
export type AuthoriseBody = z.output<typeof AuthoriseBody>;

const Refusal = Problem.extend({
  outcome: z.literal('refused'),
  reason: z.enum([
    'spent',
    'busy',
    'suspended',
    'seats_taken',
    'member_removed',
    'model_not_allowed',
    'model_not_for_this',
    'model_unknown',
    'unpriced',
  ]),
  scope: z.enum(['tenant', 'user', 'key']).optional().meta({ description: 'Whose budget refused, where a budget did' }),
  message: z.string(),
  resetsAt: z.iso.datetime().optional(),
  topUpUrl: z.url().optional(),
}).meta({
  id: 'Refusal',
  description: 'Not authorised. `message` is final text for the user, in their language',
});

/** May this call be made? If so, the most it can cost is held until it is settled, voided or overdue. */
export const authorise = route({
  method: 'post',
  path: '/v1/gateway/authorise',
  id: 'authorise',
  summary: 'Hold the most a call can cost, or refuse it',
  tag: 'Gateway',
  access: 'gateway',
  body: AuthoriseBody,
  responses: {
    200: {
      description: 'Granted; make the call and settle or void it',
      schema: z.object({
        outcome: z.literal('granted'),
        requestId: z.uuid(),
        holdNanoEur: NanoEur,
        maxOutputTokens: z.int(),
        clamped: z
          .boolean()
          .meta({ description: 'The whole was not affordable: the answer must be shorter than asked' }),
        leasable: z.boolean().meta({
          description: 'A lease may serve this user and key: the plan has one, and neither has a limit of their own',
        }),
        expiresAt: z.iso.datetime(),
      }),
    },
    401: { description: 'The key is not one of this tenant', schema: Problem },
    402: { description: 'The budget is spent', schema: Refusal },
    403: {
      description: 'Suspended, no seat left, removed, or the model is not allowed, not for such calls, or has no price',
      schema: Refusal,
    },
    404: { description: 'No such model', schema: Refusal },
    409: { description: 'The request id was used for something else, or has ended already', schema: Problem },
    429: { description: 'Calls under way hold the rest of the budget', schema: Refusal },
  },
  run: async (services, { body, principal, traceId }) => {
    const answer = await decide(services, gatewayTenant(principal), body, traceId ?? traceIdOf(body.traceparent));
    const { code, outcome } = answer.body as { code?: string; outcome?: string };
    if (outcome === 'granted') services.keyUse.note(body.keySha256);
    services.metrics.authorisations.inc({ outcome: code ?? outcome ?? 'unknown' });
    return answer;
  },
});

async function decide(
  services: Services,
  caller: TenantRecord,
  body: AuthoriseBody,
  traceId: string | undefined,
): Promise<Answer> {
  let tenant = caller;
  for (let attempt = 0; attempt < MAX_STALE_RETRIES; attempt += 1) {
    const catalogue = await services.catalogue.snapshot();
    const { registration } = tenant;
    const fault = tenant.state === 'closed' || registration.suspended ? suspended(body) : undefined;
    const priced = fault ?? priceRequest(catalogue, registration, body);
    if ('fault' in priced) {
      // Memory may be behind; a refusal is only given on what is stored now.
      const fresh = attempt === 0 ? await readAnew(services, tenant) : undefined;
      if (fresh === undefined) return refusedByRule(priced, tenant, languageOf(body, tenant));
      tenant = fresh;
      continue;
    }
    const outcome = await services.ledger.authorise({
      account: tenant.account,
      tenant: tenant.id,
      tenantRevision: tenant.revision,
      catalogueRevision: catalogue.revision,
      requestId: body.requestId,
      payload: payloadHash({ ...body, traceparent: undefined }),
      keySha256: Buffer.from(body.keySha256, 'hex'),
      user: body.user,
      amountNanoEur: priced.amountNanoEur,
      maxOutputTokens: priced.maxOutputTokens,
      clamp: priced.clamp,
      terms: priced.terms,
      holdTtlMs: services.holdTtlMs,
      traceId,
    });
    if (outcome.outcome === 'seats_taken')
      return refusedByRule(await seatless(services, tenant, body), tenant, languageOf(body, tenant));
    if (outcome.outcome !== 'stale') return answerOf(outcome, { tenant, body, priced, topUpUrl: services.topUpUrl });
    tenant = (await readAnew(services, tenant)) ?? tenant;
  }
  throw new Error('the catalogue kept changing while a request was priced');
}

async function readAnew(services: Services, tenant: TenantRecord): Promise<TenantRecord | undefined> {
  services.catalogue.forget();
  return services.catalogue.tenantByName(tenant.name);
}

function languageOf(body: AuthoriseBody, tenant: TenantRecord): Language {
  return body.language ?? tenant.registration.language;
}

type RuleFault =
  | PricingFault
  | { readonly fault: 'suspended' | 'seats_taken' | 'member_removed'; readonly model: string };

function suspended(body: AuthoriseBody): RuleFault {
  return { fault: 'suspended', model: body.model };
}

/** Why the chat's user has no seat: every one is taken, or they were removed. */
async function seatless({ pool }: Services, tenant: TenantRecord, { user, model }: AuthoriseBody): Promise<RuleFault> {
  const { rows } = await pool.query<{ removed: boolean }>('select is_removed_from_chat($1, $2) as removed', [
    tenant.id,
    user,
  ]);
  return { fault: rows[0]?.removed ? 'member_removed' : 'seats_taken', model };
}

function refusedByRule({ fault, model }: RuleFault, tenant: TenantRecord, language: Language): Answer {
  const named = ModelName.safeParse(model).success ? model : '?';
  const message = refusalText(fault, language, tenant.registration.displayName, named);
  const status = fault === 'model_unknown' ? 404 : 403;
  return { status, body: { ...problem(status, fault, message), outcome: 'refused', reason: fault, message } };
}

/** What an answer is made of, besides the ledger's outcome. */
type Asked = {
  readonly tenant: TenantRecord;
  readonly body: AuthoriseBody;
  readonly priced: PricedRequest;
  readonly topUpUrl: string;
};

function answerOf(outcome: Exclude<AuthoriseOutcome, { outcome: 'seats_taken' }>, asked: Asked): Answer {
  switch (outcome.outcome) {
    case 'granted':
      return {
        status: 200,
        body: {
          outcome: 'granted',
          requestId: asked.body.requestId,
          holdNanoEur: outcome.holdNanoEur.toString(),
          maxOutputTokens: outcome.maxOutputTokens,
          clamped: outcome.maxOutputTokens < asked.priced.maxOutputTokens,
          leasable: outcome.unlimited && asked.tenant.registration.lease !== null,
          expiresAt: outcome.expiresAt.toISOString(),
        },
      };
    case 'refused':
      return outcome.reason === 'spent' ? spent(outcome, asked) : busy(outcome, asked);
    case 'key_unknown': {
      const detail = 'this key is not known here, revoked or expired';
      return { status: 401, body: problem(401, 'key_unknown', detail), headers: { 'www-authenticate': 'Bearer' } };
    }
    case 'conflict': {
      const detail = 'this requestId was used for another call; every call needs its own';
      return { status: 409, body: problem(409, 'request_id_reused', detail) };
    }
    case 'stale':
      throw new Error('a stale price is asked for anew, never answered');
    default: {
      const detail = `this request was ${outcome.outcome.replace('already_', '')} already; a new call needs a new requestId`;
      return { status: 409, body: problem(409, outcome.outcome, detail) };
    }
  }
}

type Refused = Extract<AuthoriseOutcome, { outcome: 'refused' }>;

function spent(refused: Refused, { tenant, body, topUpUrl }: Asked): Answer {
  const { displayName, timeZone } = tenant.registration;
  const { scope } = refused;
  const message = spentText({
    scope,
    tenant: displayName,
    language: languageOf(body, tenant),
    timeZone,
    remainingNanoEur: refused.grantedNanoEur - refused.postedNanoEur,
    askedNanoEur: refused.askedNanoEur,
    resetsAt: refused.resetsAt,
    topUpUrl,
  });
  const answer = { ...problem(402, 'budget_spent', message), outcome: 'refused', reason: 'spent', scope, message };
  // A top-up makes the tenant's budget larger, not a user's or key's part of it.
  const way = scope === 'tenant' ? { topUpUrl } : {};
  return { status: 402, body: { ...answer, resetsAt: refused.resetsAt.toISOString(), ...way } };
}

function busy(refused: Refused, { tenant, body }: Asked): Answer {
  const { scope } = refused;
  const seconds = retryAfterSeconds(refused.nextExpiryAt);
  const message = busyText(scope, tenant.registration.displayName, languageOf(body, tenant), seconds);
  const answer = problem(429, 'budget_busy', message, { retryAfterSeconds: seconds });
  return {
    status: 429,
    body: { ...answer, outcome: 'refused', reason: 'busy', scope, message },
    headers: { 'retry-after': String(seconds) },
  };
}

function retryAfterSeconds(nextExpiryAt: Date | null): number {
  if (nextExpiryAt === null) return 1;
  const seconds = Math.ceil((nextExpiryAt.getTime() - Date.now()) / 1000);
  return Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(1, seconds));
}
