import { z } from 'zod';

/** Decimal places a price may have. USD per million tokens with six places is a whole number of pico-USD per token. */
const PRICE_DECIMALS = 6;
/** Pico-USD in one USD. */
const PICO_USD_PER_USD = 1_000_000_000_000n;
/** Tokens a price is quoted for. */
const TOKENS_PER_QUOTE = 1_000_000n;
/** Above any model's context. */
const MAX_TIER_TOKENS = 100_000_000;

/** A price as people write it: decimal USD, e.g. "0.15". Never negative, never empty: an unknown price is no price. */
export const UsdPrice = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,6})(\.[0-9]{1,6})?$/, 'must be decimal USD like "0.15", not negative, at most 6 decimals')
  .meta({ description: 'Decimal USD', example: '0.15' });

const TokenQuotes = z.strictObject({
  inputUsdPerMillion: UsdPrice,
  cachedInputUsdPerMillion: UsdPrice.optional(),
  cacheWriteUsdPerMillion: UsdPrice.optional(),
  audioInputUsdPerMillion: UsdPrice.optional(),
  outputUsdPerMillion: UsdPrice,
  audioOutputUsdPerMillion: UsdPrice.optional(),
});
type TokenQuotes = z.output<typeof TokenQuotes>;

/**
 * What a model costs, in decimal USD per million tokens (per image for images). Reasoning is output. `longContext`
 * holds for the whole of a request whose input, cached or not, has more than `aboveTokens` tokens.
 */
export const ModelPrices = TokenQuotes.extend({
  imageUsd: UsdPrice.optional(),
  longContext: TokenQuotes.extend({ aboveTokens: z.int().min(1).max(MAX_TIER_TOKENS) }).optional(),
});
export type ModelPrices = z.output<typeof ModelPrices>;

/** Pico-USD per token of each bucket. The buckets are disjoint. */
export type TokenPrices = {
  readonly input: bigint;
  readonly cachedInput: bigint;
  readonly cacheWrite: bigint;
  readonly audioInput: bigint;
  readonly output: bigint;
  readonly audioOutput: bigint;
};

/** Unit prices in pico-USD: per token of each bucket, and per image. */
export type UnitPrices = TokenPrices & {
  readonly image: bigint;
  readonly longContext?: (TokenPrices & { readonly aboveTokens: number }) | undefined;
};

/** Where unit prices come from: the Model itself, the price snapshot in force, or nowhere because it is free. */
export type PriceSource = 'model' | 'snapshot' | 'free';

/**
 * Turns quoted prices into unit prices. A bucket without a price of its own costs what plain input or output does; in
 * the long-context tier it costs what it costs below it.
 */
export function unitPrices(prices: ModelPrices): UnitPrices {
  const { longContext: tier, imageUsd } = prices;
  const image = imageUsd === undefined ? 0n : picoUsd(imageUsd);
  const base = { ...tokenPrices(prices), image };
  if (tier === undefined) return base;
  return { ...base, longContext: { ...tokenPrices({ ...prices, ...tier }), aboveTokens: tier.aboveTokens } };
}

/** All of a free model's unit prices. */
export const FREE: UnitPrices = {
  input: 0n,
  cachedInput: 0n,
  cacheWrite: 0n,
  audioInput: 0n,
  output: 0n,
  audioOutput: 0n,
  image: 0n,
};

/**
 * Unit prices that are at no usage below any of the given ones: what to bill by when it is not told which of several
 * deployments answered. The tier begins where the first one does.
 */
export function dearest(all: readonly [UnitPrices, ...UnitPrices[]]): UnitPrices {
  const base = { ...dearestTokens(all), image: largest(...mapped(all, ({ image }) => image)) };
  const tiers = all.flatMap(({ longContext }) => longContext ?? []);
  if (tiers.length === 0) return base;
  const aboveTokens = Math.min(...tiers.map((tier) => tier.aboveTokens));
  return { ...base, longContext: { ...dearestTokens([...all, ...tiers]), aboveTokens } };
}

/** The largest of some amounts. */
export function largest(first: bigint, ...others: readonly bigint[]): bigint {
  let most = first;
  for (const value of others) if (value > most) most = value;
  return most;
}

function dearestTokens(all: readonly [TokenPrices, ...TokenPrices[]]): TokenPrices {
  return {
    input: largest(...mapped(all, ({ input }) => input)),
    cachedInput: largest(...mapped(all, ({ cachedInput }) => cachedInput)),
    cacheWrite: largest(...mapped(all, ({ cacheWrite }) => cacheWrite)),
    audioInput: largest(...mapped(all, ({ audioInput }) => audioInput)),
    output: largest(...mapped(all, ({ output }) => output)),
    audioOutput: largest(...mapped(all, ({ audioOutput }) => audioOutput)),
  };
}

function mapped<T>([first, ...rest]: readonly [T, ...T[]], priceOf: (item: T) => bigint): [bigint, ...bigint[]] {
  return [priceOf(first), ...rest.map(priceOf)];
}

function tokenPrices(quotes: TokenQuotes): TokenPrices {
  const input = picoUsdPerToken(quotes.inputUsdPerMillion);
  const output = picoUsdPerToken(quotes.outputUsdPerMillion);
  const or = (quote: string | undefined, otherwise: bigint) =>
    quote === undefined ? otherwise : picoUsdPerToken(quote);
  return {
    input,
    cachedInput: or(quotes.cachedInputUsdPerMillion, input),
    cacheWrite: or(quotes.cacheWriteUsdPerMillion, input),
    audioInput: or(quotes.audioInputUsdPerMillion, input),
    output,
    audioOutput: or(quotes.audioOutputUsdPerMillion, output),
  };
}

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
