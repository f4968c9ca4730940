import { largest, type TokenPrices, type UnitPrices } from './price.ts';

/**
 * What a call used, by bucket. The buckets are disjoint: `inputTokens` has neither cached, cache-written nor audio
 * tokens in it, `outputTokens` has the reasoning but not the audio.
 */
export type Usage = {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly audioInputTokens: number;
  readonly outputTokens: number;
  readonly audioOutputTokens: number;
  readonly images: number;
  /** All tokens by the provider's own count, where it gave one; the buckets are checked against it. */
  readonly totalTokens: number | null;
};

/** The most a call may use, known before it is made. */
export type Bound = {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly images: number;
  /** Some of the input may be audio. */
  readonly audioInput: boolean;
};

/** What a request is priced by, besides its unit prices. */
export type Terms = {
  /** Millionths of a USD that one euro costs. */
  readonly usdPerEurMicro: bigint;
  /** Whole percent on top of the provider's cost. */
  readonly marginPercent: number;
};

/** Nano-EUR, kept apart. */
export type Charge = {
  readonly costNanoEur: bigint;
  readonly marginNanoEur: bigint;
  readonly totalNanoEur: bigint;
};

/** Pico-USD per nano-USD, times the millionths of the rate: the factor from pico-USD to nano-EUR × usdPerEurMicro. */
const RATE_MICRO = 1_000_000n;
const PICO_PER_NANO = 1_000n;

/**
 * The one place where money is rounded: up, once for the whole request's cost and once for its margin. Bound and
 * posting both come through here, and it is monotone, so no posting within its bound can exceed the hold.
 */
export function charge(picoUsd: bigint, terms: Terms): Charge {
  if (picoUsd < 0n || terms.usdPerEurMicro <= 0n || terms.marginPercent < 0) {
    throw new RangeError('a cost, rate or margin below zero has no charge');
  }
  const costNanoEur = divideRoundingUp(picoUsd * RATE_MICRO, PICO_PER_NANO * terms.usdPerEurMicro);
  const marginNanoEur = divideRoundingUp(costNanoEur * BigInt(terms.marginPercent), 100n);
  return { costNanoEur, marginNanoEur, totalNanoEur: costNanoEur + marginNanoEur };
}

/** The charge for what was used. */
export function chargeForUsage(usage: Usage, prices: UnitPrices, terms: Terms): Charge {
  const { input, cachedInput, cacheWrite, audioInput, output, audioOutput } = pricesAt(inputOf(usage), prices);
  const picoUsd =
    BigInt(usage.inputTokens) * input +
    BigInt(usage.cachedInputTokens) * cachedInput +
    BigInt(usage.cacheWriteTokens) * cacheWrite +
    BigInt(usage.audioInputTokens) * audioInput +
    BigInt(usage.outputTokens) * output +
    BigInt(usage.audioOutputTokens) * audioOutput +
    BigInt(usage.images) * prices.image;
  return charge(picoUsd, terms);
}

/** The unit prices of a request with so much input: the tier holds for all of it, not for what is above only. */
export function pricesAt(inputTokens: number, prices: UnitPrices): TokenPrices {
  const tier = prices.longContext;
  return tier !== undefined && inputTokens > tier.aboveTokens ? tier : prices;
}

/** All input, in whichever bucket. */
export function inputOf(usage: Usage): number {
  return usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens + usage.audioInputTokens;
}

/** False when the provider counted other tokens than the buckets hold: something was read wrongly. */
export function addsUp(usage: Usage): boolean {
  if (usage.totalTokens === null) return true;
  return inputOf(usage) + usage.outputTokens + usage.audioOutputTokens === usage.totalTokens;
}

/** The most any of these models may charge: all input in its dearest bucket, every output token used. */
export function chargeForBound(bound: Bound, models: readonly UnitPrices[], terms: Terms): Charge {
  const picoUsd = models.map(
    (prices) =>
      BigInt(bound.inputTokens) * dearestInput(bound, prices) +
      BigInt(bound.outputTokens) * dearestOutput(bound, prices) +
      BigInt(bound.images) * prices.image,
  );
  return charge(largest(0n, ...picoUsd), terms);
}

/** Pico-USD of the dearest bucket that a token of the bound's input may end in. */
function dearestInput(bound: Bound, prices: UnitPrices): bigint {
  const buckets = reachable(bound, prices).flatMap(({ input, cachedInput, cacheWrite, audioInput }) =>
    bound.audioInput ? [input, cachedInput, cacheWrite, audioInput] : [input, cachedInput, cacheWrite],
  );
  return largest(0n, ...buckets);
}

/** The same for its output. */
export function dearestOutput(bound: Bound, prices: UnitPrices): bigint {
  return largest(0n, ...reachable(bound, prices).flatMap(({ output, audioOutput }) => [output, audioOutput]));
}

/** Where the bound is above the tier's threshold the request may still end below it, so both count. */
function reachable(bound: Bound, prices: UnitPrices): readonly TokenPrices[] {
  const tier = prices.longContext;
  return tier !== undefined && bound.inputTokens > tier.aboveTokens ? [prices, tier] : [prices];
}

function divideRoundingUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
