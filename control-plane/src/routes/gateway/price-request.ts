import type { CatalogueSnapshot } from '../../catalogue/catalogue.ts';
import type { SourcedPrices } from '../../catalogue/model-prices.ts';
import type { ModelRegistration, TenantRegistration } from '../../catalogue/registrations.ts';
import type { HoldTerms } from '../../ledger/terms.ts';
import { type Clamp, clampOf } from '../../pricing/clamp.ts';
import { chargeForBound } from '../../pricing/cost.ts';

/** Output tokens below which a shortened answer is of no use to anybody, not counting what is thought before it. */
export const USEFUL_OUTPUT_TOKENS = 256;

export type CallType = 'chat' | 'embedding' | 'image' | 'responses' | 'messages';

/** Which models a call is for. */
const MODE: Record<CallType, ModelRegistration['mode']> = {
  chat: 'chat',
  responses: 'chat',
  messages: 'chat',
  embedding: 'embedding',
  image: 'image',
};

export type PricedCall = {
  readonly model: string;
  readonly callType: CallType;
  readonly boundInputTokens: number;
  readonly maxOutputTokens: number | null;
  /** Answers asked for; `maxOutputTokens` counts them together. */
  readonly choices: number;
  /** Tokens of output that the model may think in, before it answers. */
  readonly reasoningTokens: number;
  readonly audioInput: boolean;
  readonly images: number;
  readonly stream: boolean;
};

/** What prices are made of: the catalogue, or what a lease keeps of it. */
export type PriceBook = Pick<CatalogueSnapshot, 'priceSnapshot'> & {
  readonly rate: Pick<CatalogueSnapshot['rate'], 'day' | 'usdPerEurMicro'>;
  readonly models: ReadonlyMap<string, BookedModel>;
};
export type BookedModel = {
  readonly name: string;
  readonly registration: Pick<ModelRegistration, 'mode' | 'limits' | 'fallbacks'>;
  readonly unitPrices: SourcedPrices | undefined;
};
/** What of a tenant's registration prices depend on. */
export type PricedTenant = Pick<TenantRegistration, 'models' | 'marginPercent'>;

/** Why a call has no price. `model` is the one at fault, which may be a fallback of the one asked for. */
export type PricingFault = {
  readonly fault: 'model_unknown' | 'model_not_allowed' | 'model_not_for_this' | 'unpriced';
  readonly model: string;
};

export type PricedRequest = {
  readonly terms: HoldTerms;
  readonly amountNanoEur: bigint;
  readonly maxOutputTokens: number;
  /** How the answer may be shortened where the whole is not affordable. */
  readonly clamp: Clamp | undefined;
};

/**
 * The most a call can cost: the dearest of the model and every fallback it may be passed on to, output up to what was
 * asked for or the model's limit, margin included. Pure: the same catalogue and call give the same hold.
 */
export function priceRequest(
  catalogue: PriceBook,
  tenant: PricedTenant,
  call: PricedCall,
): PricedRequest | PricingFault {
  const asked = catalogue.models.get(call.model);
  if (asked === undefined) return { fault: 'model_unknown', model: call.model };
  if (!tenant.models.includes(call.model)) return { fault: 'model_not_allowed', model: call.model };
  const mode = MODE[call.callType];
  if (asked.registration.mode !== mode) return { fault: 'model_not_for_this', model: call.model };
  const reachable = reach(asked, catalogue, tenant);
  const prices: Record<string, SourcedPrices> = {};
  for (const model of reachable) {
    if (model.unitPrices === undefined) return { fault: 'unpriced', model: model.name };
    prices[model.name] = model.unitPrices;
  }
  const limit = mode === 'chat' ? asked.registration.limits.maxOutputTokens : 0;
  const outputTokens = call.maxOutputTokens ?? limit;
  const bound = {
    inputTokens: inputBound(call, reachable),
    outputTokens,
    images: call.images,
    audioInput: call.audioInput,
  };
  const terms: HoldTerms = {
    model: call.model,
    callType: call.callType,
    stream: call.stream,
    bound,
    usdPerEurMicro: catalogue.rate.usdPerEurMicro,
    rateDay: catalogue.rate.day,
    marginPercent: tenant.marginPercent,
    priceSnapshot: catalogue.priceSnapshot,
    prices,
  };
  const all = Object.values(prices);
  const { totalNanoEur } = chargeForBound(bound, all, terms);
  const least = call.choices * (call.reasoningTokens + USEFUL_OUTPUT_TOKENS);
  const clamp = mode === 'chat' ? clampOf(bound, least, all, terms) : undefined;
  return { terms, amountNanoEur: totalNanoEur, maxOutputTokens: outputTokens, clamp };
}

/** The model and its fallbacks, and theirs: the gateway follows them all, as far as the tenant may use them. */
function reach(asked: BookedModel, catalogue: PriceBook, tenant: PricedTenant): Set<BookedModel> {
  const reached = new Set([asked]);
  for (const model of reached) {
    for (const name of model.registration.fallbacks) {
      const fallback = catalogue.models.get(name);
      // A set's iteration visits what is added on the way, and a circle of fallbacks ends by itself.
      if (fallback !== undefined && tenant.models.includes(name)) reached.add(fallback);
    }
  }
  return reached;
}

/** No provider bills more input than fits a context. An embedding's batch is many contexts, so it is taken as it is. */
function inputBound(call: PricedCall, reachable: ReadonlySet<BookedModel>): number {
  if (call.callType === 'embedding') return call.boundInputTokens;
  const contexts = [...reachable].map(({ registration }) => registration.limits.contextTokens);
  return Math.min(call.boundInputTokens, Math.max(...contexts));
}
