import { z } from 'zod';
import { StoredPrices } from '../../ledger/terms.ts';
import { largest, type UnitPrices } from '../../pricing/price.ts';
import { type BookedModel, type CallType, type PriceBook, type PricedTenant, priceRequest } from './price-request.ts';

const MODES = ['chat', 'embedding', 'image'] as const;
const CALL_OF: Record<(typeof MODES)[number], CallType> = { chat: 'chat', embedding: 'embedding', image: 'image' };

/**
 * All that calls within a lease are priced by, kept with it: what the gateway is told covers what will be billed,
 * whatever becomes of the catalogue meanwhile.
 */
const LeaseBasis = z.object({
  usdPerEurMicro: z.string().transform(BigInt),
  rateDay: z.string(),
  marginPercent: z.int(),
  priceSnapshot: z.string(),
  models: z.array(
    z.object({
      name: z.string(),
      mode: z.enum(MODES),
      limits: z.object({ contextTokens: z.int(), maxOutputTokens: z.int() }),
      fallbacks: z.array(z.string()),
      prices: StoredPrices,
    }),
  ),
});

/** What the gateway may authorise a model's calls by: at most this many pico-euro per token or image, margin included. */
export type Ceiling = {
  readonly mode: (typeof MODES)[number];
  /** No provider bills more input; null: an embedding's batch is many contexts. */
  readonly contextTokens: number | null;
  /** Of a chat's answer, where the client sets no limit. */
  readonly maxOutputTokens: number;
  readonly inputPicoEur: bigint;
  /** Where some of the input may be audio. */
  readonly audioInputPicoEur: bigint;
  readonly outputPicoEur: bigint;
  readonly imagePicoEur: bigint;
};

/**
 * Nano-euro on top of a call's ceilings. The charge rounds the cost up and the margin up: cost < x + 1, and
 * total < cost × (1 + margin) + 1 <= x × (1 + margin) + 1 + margin + 1, which is 3 at a margin of 100 %, the largest.
 */
export const ROUNDING_NANO_EUR = 3n;

/** The basis of a lease that is taken now. Models without a price are left out: nobody may call them. */
export function leaseBasis(book: PriceBook, tenant: PricedTenant): z.input<typeof LeaseBasis> {
  const models = tenant.models.flatMap((name) => {
    const model = book.models.get(name);
    if (model?.unitPrices === undefined) return [];
    const { mode, limits, fallbacks } = model.registration;
    return [{ name, mode, limits, fallbacks, prices: stored(model.unitPrices) }];
  });
  return {
    usdPerEurMicro: book.rate.usdPerEurMicro.toString(),
    rateDay: book.rate.day,
    marginPercent: tenant.marginPercent,
    priceSnapshot: book.priceSnapshot,
    models,
  };
}

/** The catalogue and the tenant as they were when the lease was taken. */
export function readLeaseBasis(json: unknown): { book: PriceBook; tenant: PricedTenant } {
  const { usdPerEurMicro, rateDay, marginPercent, priceSnapshot, models } = LeaseBasis.parse(json);
  const booked = models.map(({ name, prices, ...registration }): [string, BookedModel] => [
    name,
    { name, registration, unitPrices: prices },
  ]);
  return {
    book: { rate: { day: rateDay, usdPerEurMicro }, priceSnapshot, models: new Map(booked) },
    tenant: { models: models.map(({ name }) => name), marginPercent },
  };
}

/** Each model's ceilings, over itself and every fallback. Models that cannot be priced are left out. */
export function ceilings(book: PriceBook, tenant: PricedTenant): Map<string, Ceiling> {
  const found = new Map<string, Ceiling>();
  for (const name of tenant.models) {
    const registration = book.models.get(name)?.registration;
    if (registration === undefined) continue;
    const { mode, limits } = registration;
    const priced = priceRequest(book, tenant, { ...NOTHING, model: name, callType: CALL_OF[mode] });
    if ('fault' in priced) continue;
    const { prices, marginPercent, usdPerEurMicro } = priced.terms;
    const ceiling = (bucketsOf: (prices: UnitPrices) => readonly bigint[]) =>
      picoEur(largest(0n, ...Object.values(prices).flatMap(bucketsOf)), usdPerEurMicro, marginPercent);
    const contexts = Object.keys(prices).map((other) => book.models.get(other)?.registration.limits.contextTokens ?? 0);
    found.set(name, {
      mode,
      contextTokens: mode === 'embedding' ? null : Math.max(...contexts),
      maxOutputTokens: mode === 'chat' ? limits.maxOutputTokens : 0,
      inputPicoEur: ceiling((all) => tiers(all).flatMap((tier) => [tier.input, tier.cachedInput, tier.cacheWrite])),
      audioInputPicoEur: ceiling((all) =>
        tiers(all).flatMap((tier) => [tier.input, tier.cachedInput, tier.cacheWrite, tier.audioInput]),
      ),
      outputPicoEur: ceiling((all) => tiers(all).flatMap((tier) => [tier.output, tier.audioOutput])),
      imagePicoEur: ceiling((all) => [all.image]),
    });
  }
  return found;
}

const NOTHING = {
  boundInputTokens: 0,
  maxOutputTokens: 0,
  choices: 1,
  reasoningTokens: 0,
  audioInput: false,
  images: 0,
  stream: false,
} as const;

function tiers(prices: UnitPrices) {
  return prices.longContext === undefined ? [prices] : [prices, prices.longContext];
}

/** Rounded up. */
function picoEur(picoUsd: bigint, usdPerEurMicro: bigint, marginPercent: number): bigint {
  const divisor = usdPerEurMicro * 100n;
  return (picoUsd * 1_000_000n * (100n + BigInt(marginPercent)) + divisor - 1n) / divisor;
}

function stored(prices: NonNullable<BookedModel['unitPrices']>): z.input<typeof StoredPrices> {
  return JSON.parse(JSON.stringify(prices, (_key, value) => (typeof value === 'bigint' ? value.toString() : value)));
}
