import { describe, expect, test } from 'vitest';
import { Random, seedOf } from '../../testing/random.ts';
import { type Ceiling, ceilings, leaseBasis, ROUNDING_NANO_EUR, readLeaseBasis } from './lease-basis.ts';
import { type BookedModel, type PriceBook, type PricedCall, priceRequest } from './price-request.ts';

const RUNS = 2_000;
const MODELS = ['one', 'two', 'three', 'embedding', 'unpriced'];

/** As the hook computes it: operator/gateway/cloudfreedom_hook.py, Lease.price. */
function localBound(call: PricedCall, ceiling: Ceiling): bigint {
  const { contextTokens, maxOutputTokens } = ceiling;
  const input = BigInt(contextTokens === null ? call.boundInputTokens : Math.min(call.boundInputTokens, contextTokens));
  const pico =
    input * (call.audioInput ? ceiling.audioInputPicoEur : ceiling.inputPicoEur) +
    BigInt(call.maxOutputTokens ?? maxOutputTokens) * ceiling.outputPicoEur +
    BigInt(call.images) * ceiling.imagePicoEur;
  return ROUNDING_NANO_EUR + (pico + 999n) / 1000n;
}

test('what a gateway reckons by itself is never below the true bound', () => {
  const random = new Random(seedOf('ceilings'));
  for (let run = 0; run < RUNS; run += 1) {
    const book = anyBook(random);
    const tenant = { models: MODELS, marginPercent: random.integer(0, 100) };
    const offered = ceilings(book, tenant);
    const [model = '', ceiling] = random.pick([...offered]);
    const call: PricedCall = {
      model,
      callType: ceiling?.mode ?? 'chat',
      boundInputTokens: random.integer(0, 200_000),
      maxOutputTokens: random.chance(0.5) ? null : random.integer(0, 5_000),
      choices: 1,
      reasoningTokens: 0,
      audioInput: random.chance(0.3),
      images: random.integer(0, 2),
      stream: false,
    };
    const priced = priceRequest(book, tenant, call);
    if (ceiling === undefined || 'fault' in priced) throw new Error('a model was offered that has no price');
    expect(localBound(call, ceiling)).toBeGreaterThanOrEqual(priced.amountNanoEur);
    const kept = readLeaseBasis(JSON.parse(JSON.stringify(leaseBasis(book, tenant))));
    expect(priceRequest(kept.book, kept.tenant, call)).toEqual(priced);
  }
});

describe('a lease offers', () => {
  test('nothing that has no price, nor what falls back to it', () => {
    const book = anyBook(new Random(1), { two: { fallbacks: ['unpriced'] } });
    expect([...ceilings(book, { models: MODELS, marginPercent: 20 }).keys()]).toEqual(['one', 'three', 'embedding']);
  });

  test('only models of the tenant', () => {
    const book = anyBook(new Random(1), {});
    expect([...ceilings(book, { models: ['one', 'gone'], marginPercent: 20 }).keys()]).toEqual(['one']);
  });
});

function anyBook(random: Random, more: Record<string, { fallbacks: string[] }> = {}): PriceBook {
  const models = MODELS.map((name): [string, BookedModel] => [
    name,
    {
      name,
      registration: {
        mode: name === 'embedding' ? 'embedding' : 'chat',
        limits: { contextTokens: random.integer(1, 150_000), maxOutputTokens: random.integer(1, 20_000) },
        fallbacks: more[name]?.fallbacks ?? (random.chance(0.3) ? ['three', 'one'] : []),
      },
      unitPrices: name === 'unpriced' ? undefined : anyPrices(random),
    },
  ]);
  const rate = { day: '2026-11-20', usdPerEurMicro: BigInt(random.integer(500_000, 2_000_000)) };
  return { priceSnapshot: 'snapshot', rate, models: new Map(models) };
}

function anyPrices(random: Random): NonNullable<BookedModel['unitPrices']> {
  const price = () => BigInt(random.integer(0, 20_000_000));
  const tokens = () => ({
    input: price(),
    cachedInput: price(),
    cacheWrite: price(),
    audioInput: price(),
    output: price(),
    audioOutput: price(),
  });
  const base = { ...tokens(), image: price() * 1_000n, source: 'model' as const };
  const aboveTokens = random.integer(1, 150_000);
  return random.chance(0.5) ? { ...base, longContext: { ...tokens(), aboveTokens } } : base;
}
