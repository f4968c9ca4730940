import type { CatalogueModel, CatalogueSnapshot } from '../../catalogue/catalogue.ts';
import type { TenantRegistration } from '../../catalogue/registrations.ts';
import type { HoldTerms } from '../../ledger/terms.ts';
import { chargeForBound } from '../../pricing/cost.ts';
import type { UnitPrices } from '../../pricing/price.ts';

export type CallType = 'chat' | 'embedding' | 'image' | 'responses' | 'messages';

export type PricedCall = {
  readonly model: string;
  readonly callType: CallType;
  readonly boundInputTokens: number;
  readonly maxOutputTokens: number | null;
  readonly images: number;
  readonly stream: boolean;
};

/** Why a call has no price. `model` is the one at fault, which may be a fallback of the one asked for. */
export type PricingFault = {
  readonly fault: 'model_unknown' | 'model_not_allowed' | 'unpriced';
  readonly model: string;
};

export type PricedRequest = {
  readonly terms: HoldTerms;
  readonly amountNanoEur: bigint;
  readonly maxOutputTokens: number;
};

/**
 * The most a call can cost: the dearest of the model and every fallback it may be passed on to, output up to what was
 * asked for or the model's limit, margin included. Pure: the same catalogue and call give the same hold.
 */
export function priceRequest(
  catalogue: CatalogueSnapshot,
  tenant: TenantRegistration,
  call: PricedCall,
): PricedRequest | PricingFault {
  const asked = catalogue.models.get(call.model);
  if (asked === undefined) return { fault: 'model_unknown', model: call.model };
  if (!tenant.models.includes(call.model)) return { fault: 'model_not_allowed', model: call.model };
  const reachable = reach(asked, catalogue, tenant);
  const prices: Record<string, UnitPrices> = {};
  for (const model of reachable) {
    if (model.unitPrices === undefined) return { fault: 'unpriced', model: model.name };
    prices[model.name] = model.unitPrices;
  }
  const outputTokens = call.maxOutputTokens ?? defaultOutputTokens(call, asked);
  const bound = { inputTokens: inputBound(call, reachable), outputTokens, images: call.images };
  const terms: HoldTerms = {
    model: call.model,
    callType: call.callType,
    stream: call.stream,
    bound,
    usdPerEurMicro: catalogue.rate.usdPerEurMicro,
    rateDay: catalogue.rate.day,
    marginPercent: tenant.marginPercent,
    prices,
  };
  const { totalNanoEur } = chargeForBound(bound, Object.values(prices), terms);
  return { terms, amountNanoEur: totalNanoEur, maxOutputTokens: outputTokens };
}

/** The model and its fallbacks, and theirs: the gateway follows them all, as far as the tenant may use them. */
function reach(asked: CatalogueModel, catalogue: CatalogueSnapshot, tenant: TenantRegistration): Set<CatalogueModel> {
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
function inputBound(call: PricedCall, reachable: ReadonlySet<CatalogueModel>): number {
  if (call.callType === 'embedding') return call.boundInputTokens;
  const contexts = [...reachable].map(({ registration }) => registration.limits.contextTokens);
  return Math.min(call.boundInputTokens, Math.max(...contexts));
}

function defaultOutputTokens(call: PricedCall, model: CatalogueModel): number {
  const hasNoOutputTokens = call.callType === 'embedding' || call.callType === 'image';
  return hasNoOutputTokens ? 0 : model.registration.limits.maxOutputTokens;
}
