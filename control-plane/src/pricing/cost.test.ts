import { describe, expect, test } from 'vitest';
import { Random, seedOf } from '../testing/random.ts';
import { charge, chargeForBound, chargeForUsage, type Usage } from './cost.ts';
import { FREE, unitPrices } from './price.ts';

const AT_PAR = { usdPerEurMicro: 1_000_000n, marginPercent: 20 };
const SMALL = unitPrices({
  inputUsdPerMillion: '0.15',
  cachedInputUsdPerMillion: '0.075',
  cacheWriteUsdPerMillion: '0.1875',
  outputUsdPerMillion: '0.60',
  imageUsd: '0.04',
});
const NONE: Usage = { inputTokens: 0, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0, images: 0 };

describe('a charge', () => {
  test.each([
    // pico-USD, USD per EUR in millionths, margin %, cost, margin: in nano-EUR, worked out by hand
    [0n, 1_000_000n, 20, 0n, 0n],
    [1n, 1_000_000n, 0, 1n, 0n],
    [1_000n, 1_000_000n, 0, 1n, 0n],
    [1_001n, 1_000_000n, 0, 2n, 0n],
    [1_000_000n, 1_000_000n, 20, 1_000n, 200n],
    [1_159_000n, 1_159_000n, 20, 1_000n, 200n],
    [1_159_001n, 1_159_000n, 20, 1_001n, 201n],
    [1_000_000n, 1_159_000n, 7, 863n, 61n],
    [1_000_000n, 800_000n, 100, 1_250n, 1_250n],
  ])('of %s pico-USD at %s is rounded up, once for cost and once for margin', (pico, rate, percent, cost, margin) => {
    expect(charge(pico, { usdPerEurMicro: rate, marginPercent: percent })).toEqual({
      costNanoEur: cost,
      marginNanoEur: margin,
      totalNanoEur: cost + margin,
    });
  });

  test('of a cost, rate or margin below zero is refused', () => {
    expect(() => charge(-1n, AT_PAR)).toThrow(RangeError);
    expect(() => charge(1n, { ...AT_PAR, usdPerEurMicro: 0n })).toThrow(RangeError);
    expect(() => charge(1n, { ...AT_PAR, marginPercent: -1 })).toThrow(RangeError);
  });
});

describe('usage', () => {
  test('is charged bucket by bucket', () => {
    const usage = { inputTokens: 1000, cachedInputTokens: 2000, cacheWriteTokens: 400, outputTokens: 500, images: 1 };
    // 150 + 150 + 75 + 300 nano-USD × 1000 and 0.04 USD for the image
    expect(chargeForUsage(usage, SMALL, AT_PAR).costNanoEur).toBe(
      150_000n + 150_000n + 75_000n + 300_000n + 40_000_000n,
    );
  });

  test('of a free model costs nothing', () => {
    expect(chargeForUsage({ ...NONE, inputTokens: 1_000_000 }, FREE, AT_PAR).totalNanoEur).toBe(0n);
  });
});

test('no usage within a bound costs more than the bound, whatever the prices, rate and margin', () => {
  const random = new Random(seedOf('bound covers usage'));
  for (let run = 0; run < 5_000; run += 1) {
    const price = () => BigInt(random.integer(0, 20_000_000));
    const models = Array.from({ length: random.integer(1, 4) }, () => ({
      input: price(),
      cachedInput: price(),
      cacheWrite: price(),
      output: price(),
      image: price() * 1000n,
    }));
    const terms = {
      usdPerEurMicro: BigInt(random.integer(500_000, 2_000_000)),
      marginPercent: random.integer(0, 100),
    };
    const bound = {
      inputTokens: random.integer(0, 200_000),
      outputTokens: random.integer(0, 20_000),
      images: random.integer(0, 4),
    };
    const cached = random.integer(0, bound.inputTokens);
    const written = random.integer(0, bound.inputTokens - cached);
    const usage = {
      inputTokens: random.integer(0, bound.inputTokens - cached - written),
      cachedInputTokens: cached,
      cacheWriteTokens: written,
      outputTokens: random.integer(0, bound.outputTokens),
      images: random.integer(0, bound.images),
    };
    const held = chargeForBound(bound, models, terms).totalNanoEur;
    for (const prices of models) expect(chargeForUsage(usage, prices, terms).totalNanoEur <= held).toBe(true);
  }
});
