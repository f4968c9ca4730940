import { type Bound, charge, chargeForBound, dearestOutput, type Terms } from './cost.ts';
import { largest, type UnitPrices } from './price.ts';

/** Output tokens by which an answer is shortened at a time: small against any useful answer. */
const STEP_OUTPUT_TOKENS = 16;

/**
 * How far an answer may be shortened where its whole bound is not affordable, in a form that the ledger can decide on
 * while it holds the balance's lock: `minOutputTokens + k × stepOutputTokens` tokens are covered by
 * `minAmountNanoEur + k × stepNanoEur`, for every k.
 *
 * Why that covers them: the charge of a sum never exceeds the sum of the charges, since each is rounded up; so adding
 * whole steps to the least bound may hold some nano-euro too much, and never too little.
 */
export type Clamp = {
  /** The least that is still of use, in output tokens. */
  readonly minOutputTokens: number;
  readonly minAmountNanoEur: bigint;
  readonly stepOutputTokens: number;
  /** At least 1. */
  readonly stepNanoEur: bigint;
};

/** Undefined where the answer cannot be shortened to any use, or where that would save nothing. */
export function clampOf(
  bound: Bound,
  minOutputTokens: number,
  models: readonly UnitPrices[],
  terms: Terms,
): Clamp | undefined {
  if (bound.outputTokens <= minOutputTokens) return undefined;
  const perToken = largest(0n, ...models.map((prices) => dearestOutput(bound, prices)));
  if (perToken === 0n) return undefined;
  return {
    minOutputTokens,
    minAmountNanoEur: chargeForBound({ ...bound, outputTokens: minOutputTokens }, models, terms).totalNanoEur,
    stepOutputTokens: STEP_OUTPUT_TOKENS,
    stepNanoEur: charge(BigInt(STEP_OUTPUT_TOKENS) * perToken, terms).totalNanoEur,
  };
}
