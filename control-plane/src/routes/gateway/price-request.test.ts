import { describe, expect, test } from 'vitest';
import type { CatalogueModel } from '../../catalogue/catalogue.ts';
import type { ModelRegistration } from '../../catalogue/registrations.ts';
import { FREE, unitPrices } from '../../pricing/price.ts';
import { modelRegistration, tenantRegistration, tenantSecrets } from '../../testing/registrations.ts';
import { type PricedCall, priceRequest } from './price-request.ts';

const CALL: PricedCall = {
  model: 'small',
  callType: 'chat',
  boundInputTokens: 1000,
  maxOutputTokens: 500,
  images: 0,
  stream: false,
};

function catalogue(models: Record<string, Partial<ModelRegistration>>) {
  const rate = { day: '2026-11-20', usdPerEurMicro: 1_000_000n, source: 'test' };
  const entries = Object.entries(models).map(([name, more]): [string, CatalogueModel] => {
    const registration = modelRegistration(more);
    const priced = registration.prices === null ? undefined : unitPrices(registration.prices);
    return [name, { name, registration, unitPrices: registration.free ? FREE : priced }];
  });
  return { revision: 1n, models: new Map(entries), rate };
}

const tenant = tenantRegistration(tenantSecrets(), { marginPercent: 20, models: ['small', 'large', 'other'] });
const SMALL = { prices: { inputUsdPerMillion: '1', outputUsdPerMillion: '2' } };
const LARGE = { prices: { inputUsdPerMillion: '10', cacheWriteUsdPerMillion: '12', outputUsdPerMillion: '20' } };

describe('the hold', () => {
  test('is the whole bound at the model’s prices, margin included', () => {
    expect(priceRequest(catalogue({ small: SMALL }), tenant, CALL)).toMatchObject({
      amountNanoEur: ((1000n * 1000n + 500n * 2000n) * 120n) / 100n,
      maxOutputTokens: 500,
    });
  });

  test('covers the dearest model that fallbacks lead to, and the dearest bucket of it', () => {
    const models = {
      small: { ...SMALL, fallbacks: ['other'] },
      other: { ...SMALL, fallbacks: ['large'] },
      large: LARGE,
    };
    const priced = priceRequest(catalogue(models), tenant, CALL);
    expect(priced).toMatchObject({ amountNanoEur: ((1000n * 12_000n + 500n * 20_000n) * 120n) / 100n });
    expect(priced).toHaveProperty('terms.prices.other');
  });

  test('leaves out fallbacks that the tenant may not use or that do not exist: they are never reached', () => {
    const models = { small: { ...SMALL, fallbacks: ['forbidden', 'gone'] }, forbidden: LARGE };
    expect(priceRequest(catalogue(models), tenant, CALL)).toMatchObject({ amountNanoEur: 2_400_000n });
  });

  test('is found for fallbacks that go in a circle', () => {
    const models = { small: { ...SMALL, fallbacks: ['other'] }, other: { ...SMALL, fallbacks: ['small'] } };
    expect(priceRequest(catalogue(models), tenant, CALL)).toMatchObject({ amountNanoEur: 2_400_000n });
  });

  test('takes the model’s output limit where none was asked for, and none for an embedding', () => {
    expect(priceRequest(catalogue({ small: SMALL }), tenant, { ...CALL, maxOutputTokens: null })).toMatchObject({
      maxOutputTokens: 16_384,
    });
    expect(
      priceRequest(catalogue({ small: SMALL }), tenant, { ...CALL, callType: 'embedding', maxOutputTokens: null }),
    ).toMatchObject({ maxOutputTokens: 0, amountNanoEur: 1_200_000n });
  });

  test('counts no more input than the largest context in reach takes, except for an embedding’s batch', () => {
    const models = { small: { ...SMALL, limits: { contextTokens: 2000, maxOutputTokens: 10 } } };
    const call = { ...CALL, boundInputTokens: 100_000_000, maxOutputTokens: 0 };
    expect(priceRequest(catalogue(models), tenant, call)).toMatchObject({ amountNanoEur: 2_400_000n });
    expect(priceRequest(catalogue(models), tenant, { ...call, callType: 'embedding' })).toMatchObject({
      amountNanoEur: 120_000_000_000n,
    });
  });

  test('of a free model is zero', () => {
    const models = { small: { free: true, prices: null } };
    expect(priceRequest(catalogue(models), tenant, CALL)).toMatchObject({ amountNanoEur: 0n });
  });
});

describe('a call has no price', () => {
  test('when the model does not exist', () => {
    expect(priceRequest(catalogue({}), tenant, CALL)).toEqual({ fault: 'model_unknown', model: 'small' });
  });

  test('when the tenant may not use the model', () => {
    const models = catalogue({ forbidden: SMALL });
    const call = { ...CALL, model: 'forbidden' };
    expect(priceRequest(models, tenant, call)).toEqual({ fault: 'model_not_allowed', model: 'forbidden' });
  });

  test('when it, or a fallback it may reach, has no price: unknown is never zero', () => {
    const models = { small: { ...SMALL, fallbacks: ['large'] }, large: { prices: null } };
    expect(priceRequest(catalogue(models), tenant, CALL)).toEqual({ fault: 'unpriced', model: 'large' });
  });
});
