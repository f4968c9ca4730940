import { z } from 'zod';

/** Decimal places a price may have. USD per million tokens with six places is a whole number of pico-USD per token. */
const PRICE_DECIMALS = 6;
/** Pico-USD in one USD. */
const PICO_USD_PER_USD = 1_000_000_000_000n;
/** Tokens a price is quoted for. */
const TOKENS_PER_QUOTE = 1_000_000n;

/** A price as people write it: decimal USD, e.g. "0.15". Never negative, never empty: an unknown price is no price. */
export const UsdPrice = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?$/, 'must be decimal USD like "0.15", not negative, at most 6 decimals')
  .meta({ description: 'Decimal USD', example: '0.15' });

/** What a model costs, in decimal USD per million tokens (per image for images). */
export const ModelPrices = z.strictObject({
  inputUsdPerMillion: UsdPrice,
  cachedInputUsdPerMillion: UsdPrice.optional(),
  cacheWriteUsdPerMillion: UsdPrice.optional(),
  outputUsdPerMillion: UsdPrice,
  imageUsd: UsdPrice.optional(),
});
export type ModelPrices = z.output<typeof ModelPrices>;

/** Unit prices in pico-USD: per token of each bucket, and per image. The buckets are disjoint. */
export type UnitPrices = {
  readonly input: bigint;
  readonly cachedInput: bigint;
  readonly cacheWrite: bigint;
  readonly output: bigint;
  readonly image: bigint;
};

/** Turns quoted prices into unit prices. Where no cache price is given, cached tokens cost what fresh ones do. */
export function unitPrices(prices: ModelPrices): UnitPrices {
  const input = picoUsdPerToken(prices.inputUsdPerMillion);
  return {
    input,
    cachedInput:
      prices.cachedInputUsdPerMillion === undefined ? input : picoUsdPerToken(prices.cachedInputUsdPerMillion),
    cacheWrite: prices.cacheWriteUsdPerMillion === undefined ? input : picoUsdPerToken(prices.cacheWriteUsdPerMillion),
    output: picoUsdPerToken(prices.outputUsdPerMillion),
    image: prices.imageUsd === undefined ? 0n : picoUsd(prices.imageUsd),
  };
}

/** All of a free model's unit prices. */
export const FREE: UnitPrices = { input: 0n, cachedInput: 0n, cacheWrite: 0n, output: 0n, image: 0n };

function picoUsdPerToken(usdPerMillion: string): bigint {
  return picoUsd(usdPerMillion) / TOKENS_PER_QUOTE;
}

function picoUsd(usd: string): bigint {
  return decimalToInteger(usd, PRICE_DECIMALS) * (PICO_USD_PER_USD / 10n ** BigInt(PRICE_DECIMALS));
}

/**
 * Reads a decimal string as a whole number of 10^-`decimals`: ("0.15", 6) is 150000n.
 * @throws RangeError when it is no such decimal; nothing is ever rounded here.
 */
export function decimalToInteger(decimal: string, decimals: number): bigint {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(decimal);
  const fraction = match?.[2] ?? '';
  if (match?.[1] === undefined || fraction.length > decimals) {
    throw new RangeError(`"${decimal}" is not a decimal with at most ${decimals} places`);
  }
  return BigInt(match[1] + fraction.padEnd(decimals, '0'));
}
