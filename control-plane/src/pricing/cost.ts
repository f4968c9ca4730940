import type { UnitPrices } from './price.ts';

/** Tokens by bucket. The buckets are disjoint: `inputTokens` has neither cached nor cache-written ones in it. */
export type Usage = {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly images: number;
};

/** The most a call may use, known before it is made. */
export type Bound = {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly images: number;
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
  const picoUsd =
    BigInt(usage.inputTokens) * prices.input +
    BigInt(usage.cachedInputTokens) * prices.cachedInput +
    BigInt(usage.cacheWriteTokens) * prices.cacheWrite +
    BigInt(usage.outputTokens) * prices.output +
    BigInt(usage.images) * prices.image;
  return charge(picoUsd, terms);
}

/** The most any of these models may charge: every input token in its dearest bucket, every output token used. */
export function chargeForBound(bound: Bound, models: readonly UnitPrices[], terms: Terms): Charge {
  const picoUsd = models.map(
    (prices) =>
      BigInt(bound.inputTokens) * largest(prices.input, prices.cachedInput, prices.cacheWrite) +
      BigInt(bound.outputTokens) * prices.output +
      BigInt(bound.images) * prices.image,
  );
  return charge(largest(0n, ...picoUsd), terms);
}

function divideRoundingUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function largest(first: bigint, ...others: readonly bigint[]): bigint {
  let most = first;
  for (const value of others) if (value > most) most = value;
  return most;
}
