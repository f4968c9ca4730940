import { z } from 'zod';
import type { Bound, Terms } from '../pricing/cost.ts';
import type { PriceSource, UnitPrices } from '../pricing/price.ts';

const Integer = z.string().regex(/^\d+$/).transform(BigInt);

const TokenPrices = z.object({
  input: Integer,
  cachedInput: Integer,
  cacheWrite: Integer,
  audioInput: Integer,
  output: Integer,
  audioOutput: Integer,
});

/** Unit prices as they are stored, with a hold's terms and with a usage line. */
export const StoredPrices = TokenPrices.extend({
  image: Integer,
  longContext: TokenPrices.extend({ aboveTokens: z.int() }).optional(),
  source: z.enum(['model', 'snapshot', 'free']),
});

/**
 * What a request was authorised on, and will be billed by whatever changes meanwhile: kept with its hold as JSON
 * (integers as strings). `prices` has an entry for every model the request may reach.
 */
export const HoldTerms = z.object({
  model: z.string(),
  callType: z.string(),
  stream: z.boolean(),
  bound: z.object({ inputTokens: z.int(), outputTokens: z.int(), images: z.int(), audioInput: z.boolean() }),
  usdPerEurMicro: Integer,
  rateDay: z.string(),
  marginPercent: z.int(),
  priceSnapshot: z.string(),
  prices: z.record(z.string(), StoredPrices).optional(),
});

export type HoldTerms = Terms & {
  readonly model: string;
  readonly callType: string;
  readonly stream: boolean;
  /** The most that was asked for; the hold may be for a shorter answer. */
  readonly bound: Bound;
  readonly rateDay: string;
  /** The price snapshot that was in force; prices that a Model carries itself are not from it. */
  readonly priceSnapshot: string;
  readonly prices: Readonly<Record<string, UnitPrices & { readonly source: PriceSource }>>;
};

/** Writes terms or prices as JSON: bigint as decimal strings. */
export function termsJson(value: unknown): string {
  return JSON.stringify(value, (_key, field) => (typeof field === 'bigint' ? field.toString() : field));
}

/** Reads stored terms. */
export function readTerms(json: unknown): HoldTerms {
  const terms = HoldTerms.parse(json);
  return { ...terms, prices: terms.prices ?? {} };
}
