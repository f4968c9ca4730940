import { z } from 'zod';
import type { Bound, Terms } from '../pricing/cost.ts';
import type { UnitPrices } from '../pricing/price.ts';

const Integer = z.string().regex(/^\d+$/).transform(BigInt);

/**
 * What a request was authorised on, and will be billed by whatever changes meanwhile: kept with its hold as JSON
 * (integers as strings). `prices` has an entry for every model the request may reach.
 */
export const HoldTerms = z.object({
  model: z.string(),
  callType: z.string(),
  stream: z.boolean(),
  bound: z.object({ inputTokens: z.int(), outputTokens: z.int(), images: z.int() }),
  usdPerEurMicro: Integer,
  rateDay: z.string(),
  marginPercent: z.int(),
  prices: z
    .record(
      z.string(),
      z.object({ input: Integer, cachedInput: Integer, cacheWrite: Integer, output: Integer, image: Integer }),
    )
    .optional(),
});

export type HoldTerms = Terms & {
  readonly model: string;
  readonly callType: string;
  readonly stream: boolean;
  readonly bound: Bound;
  readonly rateDay: string;
  readonly prices: Readonly<Record<string, UnitPrices>>;
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
