import { describe, expect, test } from 'vitest';
import { Random, seedOf } from '../testing/random.ts';
import { clampOf } from './clamp.ts';
import { addsUp, type Bound, charge, chargeForBound, chargeForUsage, type Usage } from './cost.ts';
import { dearest, FREE, type UnitPrices, unitPrices } from './price.ts';

const AT_PAR = { usdPerEurMicro: 1_000_000n, marginPercent: 20 };
const SMALL = unitPrices({
  inputUsdPerMillion: '0.15',
  cachedInputUsdPerMillion: '0.075',
  cacheWriteUsdPerMillion: '0.1875',
  outputUsdPerMillion: '0.60',
  imageUsd: '0.04',
});
const NONE: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  audioInputTokens: 0,
  outputTokens: 0,
  audioOutputTokens: 0,
  images: 0,
  totalTokens: null,
};
/** A model with a price of its own for every bucket, below and above 200,000 tokens of input. */
const LONG = unitPrices({
  inputUsdPerMillion: '1.25',
  cachedInputUsdPerMillion: '0.125',
  cacheWriteUsdPerMillion: '1.5',
  audioInputUsdPerMillion: '3',
  outputUsdPerMillion: '10',
  audioOutputUsdPerMillion: '40',
  longContext: {
    aboveTokens: 200_000,
    inputUsdPerMillion: '2.50',
    cachedInputUsdPerMillion: '0.25',
    outputUsdPerMillion: '15',
  },
});

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

describe('usage is charged bucket by bucket, as worked out by hand', () => {
  const ECB = { usdPerEurMicro: 1_159_000n, marginPercent: 20 };
  test.each<[string, Partial<Usage>, typeof SMALL, typeof ECB, bigint, bigint]>([
    // 1000 × 0.15 + 2000 × 0.075 + 400 × 0.1875 + 500 × 0.60 USD per million, and 0.04 USD for the image
    [
      'all buckets of a small model',
      { inputTokens: 1000, cachedInputTokens: 2000, cacheWriteTokens: 400, outputTokens: 500, images: 1 },
      SMALL,
      AT_PAR,
      40_675_000n,
      8_135_000n,
    ],
    // one token in: 0.15 µUSD = 150 nUSD ÷ 1.159 = 129.42 → 130; 20 % of 130 = 26
    ['one token', { inputTokens: 1 }, SMALL, ECB, 130n, 26n],
    // 7.5 µUSD + 300 µUSD = 307,500 nUSD ÷ 1.159 = 265,314.9 → 265,315; 20 % = 53,063
    ['a chat answer in euro', { inputTokens: 50, outputTokens: 500 }, SMALL, ECB, 265_315n, 53_063n],
    // 10 × 1.25 + 20 × 0.125 + 30 × 1.5 + 40 × 3 + 50 × 10 + 60 × 40 = 3,080 µUSD
    [
      'audio and caches',
      {
        inputTokens: 10,
        cachedInputTokens: 20,
        cacheWriteTokens: 30,
        audioInputTokens: 40,
        outputTokens: 50,
        audioOutputTokens: 60,
      },
      LONG,
      AT_PAR,
      3_080_000n,
      616_000n,
    ],
    // 200,000 × 1.25 + 100 × 10 = 251,000 µUSD: at the threshold, not above it
    ['a context just short', { inputTokens: 200_000, outputTokens: 100 }, LONG, AT_PAR, 251_000_000n, 50_200_000n],
    // 200,001 × 2.5 + 100 × 15 = 501,502.5 µUSD: the tier is for the whole of it
    ['a long context', { inputTokens: 200_001, outputTokens: 100 }, LONG, AT_PAR, 501_502_500n, 100_300_500n],
    // 1 × 2.5 + 200,000 × 0.25 + 100 × 15 = 51,502.5 µUSD: cached input makes a context long too
    [
      'a long context from the cache',
      { inputTokens: 1, cachedInputTokens: 200_000, outputTokens: 100 },
      LONG,
      AT_PAR,
      51_502_500n,
      10_300_500n,
    ],
    // 200,001 × 1.5 + 2 × 3 + 1 × 40: buckets without a price in the tier keep the one below it
    [
      'a tier that leaves buckets out',
      { cacheWriteTokens: 200_001, audioInputTokens: 2, audioOutputTokens: 1 },
      LONG,
      AT_PAR,
      300_047_500n,
      60_009_500n,
    ],
    ['images alone', { images: 3 }, SMALL, AT_PAR, 120_000_000n, 24_000_000n],
    ['a free model', { inputTokens: 1_000_000, outputTokens: 1_000_000 }, FREE, ECB, 0n, 0n],
    ['nothing', {}, LONG, ECB, 0n, 0n],
  ])('%s', (_what, used, prices, terms, costNanoEur, marginNanoEur) => {
    expect(chargeForUsage({ ...NONE, ...used }, prices, terms)).toEqual({
      costNanoEur,
      marginNanoEur,
      totalNanoEur: costNanoEur + marginNanoEur,
    });
  });

  test('and adds up to what the provider counted, or is an alarm', () => {
    const used = { ...NONE, inputTokens: 1, cachedInputTokens: 2, audioInputTokens: 3, outputTokens: 4 };
    expect(addsUp(used)).toBe(true);
    expect(addsUp({ ...used, totalTokens: 10 })).toBe(true);
    expect(addsUp({ ...used, totalTokens: 12 })).toBe(false);
  });
});

/** Any prices, a third of them with a tier that may be dearer or cheaper. */
function anyPrices(random: Random): UnitPrices {
  const price = () => BigInt(random.integer(0, 20_000_000));
  const tokens = () => ({
    input: price(),
    cachedInput: price(),
    cacheWrite: price(),
    audioInput: price(),
    output: price(),
    audioOutput: price(),
  });
  const base = { ...tokens(), image: price() * 1000n };
  const aboveTokens = random.integer(1, 150_000);
  return random.integer(0, 2) === 0 ? { ...base, longContext: { ...tokens(), aboveTokens } } : base;
}

const anyTerms = (random: Random) => ({
  usdPerEurMicro: BigInt(random.integer(500_000, 2_000_000)),
  marginPercent: random.integer(0, 100),
});

const anyBound = (random: Random): Bound => ({
  inputTokens: random.integer(0, 200_000),
  outputTokens: random.integer(0, 20_000),
  images: random.integer(0, 4),
  audioInput: random.integer(0, 1) === 1,
});

/** Any usage that keeps within a bound. */
function anyUsage(random: Random, bound: Bound): Usage {
  const cached = random.integer(0, bound.inputTokens);
  const written = random.integer(0, bound.inputTokens - cached);
  const audio = bound.audioInput ? random.integer(0, bound.inputTokens - cached - written) : 0;
  const spoken = random.integer(0, bound.outputTokens);
  return {
    inputTokens: random.integer(0, bound.inputTokens - cached - written - audio),
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    audioInputTokens: audio,
    outputTokens: random.integer(0, bound.outputTokens - spoken),
    audioOutputTokens: spoken,
    images: random.integer(0, bound.images),
    totalTokens: null,
  };
}

test('no usage within a bound costs more than the bound, whatever the prices, tiers, rate and margin', () => {
  const random = new Random(seedOf('bound covers usage'));
  for (let run = 0; run < 5_000; run += 1) {
    const models = Array.from({ length: random.integer(1, 4) }, () => anyPrices(random));
    const terms = anyTerms(random);
    const bound = anyBound(random);
    const usage = anyUsage(random, bound);
    const held = chargeForBound(bound, models, terms).totalNanoEur;
    for (const prices of models) expect(chargeForUsage(usage, prices, terms).totalNanoEur <= held).toBe(true);
  }
});

test('a bound above a tier’s threshold covers usage below it too, where long contexts are cheaper', () => {
  const cheaper = unitPrices({
    inputUsdPerMillion: '2',
    outputUsdPerMillion: '2',
    longContext: { aboveTokens: 100, inputUsdPerMillion: '1', outputUsdPerMillion: '1' },
  });
  const bound = { inputTokens: 101, outputTokens: 10, images: 0, audioInput: false };
  const used = { ...NONE, inputTokens: 100, outputTokens: 10 };
  const { totalNanoEur } = chargeForUsage(used, cheaper, AT_PAR);
  expect(chargeForBound(bound, [cheaper], AT_PAR).totalNanoEur).toBeGreaterThanOrEqual(totalNanoEur);
});

test('the dearest of several prices is at no usage below any of them', () => {
  const random = new Random(seedOf('dearest deployment'));
  for (let run = 0; run < 5_000; run += 1) {
    const first = anyPrices(random);
    const rest = Array.from({ length: random.integer(0, 3) }, () => anyPrices(random));
    const terms = anyTerms(random);
    const usage = anyUsage(random, anyBound(random));
    const most = chargeForUsage(usage, dearest([first, ...rest]), terms).totalNanoEur;
    for (const prices of [first, ...rest]) expect(chargeForUsage(usage, prices, terms).totalNanoEur <= most).toBe(true);
  }
});

test('whatever a clamp leaves of an answer, its hold covers it and is below the whole', () => {
  const random = new Random(seedOf('clamp covers answer'));
  let clamped = 0;
  for (let run = 0; run < 5_000; run += 1) {
    const models = Array.from({ length: random.integer(1, 4) }, () => anyPrices(random));
    const terms = anyTerms(random);
    const bound = { ...anyBound(random), images: 0 };
    const clamp = clampOf(bound, random.integer(1, 2_000), models, terms);
    const whole = chargeForBound(bound, models, terms).totalNanoEur;
    if (clamp === undefined || clamp.minAmountNanoEur >= whole) continue;
    clamped += 1;
    // As the ledger does it: any budget that the least fits and the whole does not.
    const room = Number(whole - clamp.minAmountNanoEur - 1n);
    const free = clamp.minAmountNanoEur + BigInt(random.integer(0, room));
    const steps = (free - clamp.minAmountNanoEur) / clamp.stepNanoEur;
    const amount = clamp.minAmountNanoEur + steps * clamp.stepNanoEur;
    const outputTokens = clamp.minOutputTokens + Number(steps) * clamp.stepOutputTokens;
    expect(amount <= free).toBe(true);
    expect(outputTokens).toBeLessThan(bound.outputTokens);
    expect(chargeForBound({ ...bound, outputTokens }, models, terms).totalNanoEur <= amount).toBe(true);
  }
  expect(clamped).toBeGreaterThan(1_000);
});
