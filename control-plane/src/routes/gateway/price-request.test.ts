import { describe, expect, test } from 'vitest';
import type { CatalogueModel } from '../../catalogue/catalogue.ts';
import { pricesOfModel } from '../../catalogue/model-prices.ts';
import type { ModelRegistration } from '../../catalogue/registrations.ts';
import type { PriceList } from '../../pricing/price-list.ts';
import { modelRegistration, tenantRegistration, tenantSecrets } from '../../testing/registrations.ts';
import { type PricedCall, priceRequest } from './price-request.ts';

const CALL: PricedCall = {
  model: 'small',
  callType: 'chat',
  boundInputTokens: 1000,
  maxOutputTokens: 500,
  choices: 1,
  reasoningTokens: 0,
  audioInput: false,
  images: 0,
  stream: false,
};

/** What the snapshot knows. */
const LIST: PriceList = {
  litellm: '1.2.3',
  prices: { 'openai/listed': { inputUsdPerMillion: '3', outputUsdPerMillion: '4' } },
};
const NOWHERE = [{ name: 'main', provider: 'openai', model: 'in-no-list', residency: 'us' }];

function catalogue(models: Record<string, Partial<ModelRegistration>>) {
  const rate = { day: '2026-11-20', usdPerEurMicro: 1_000_000n, source: 'test' };
  const entries = Object.entries(models).map(([name, more]): [string, CatalogueModel] => {
    const registration = modelRegistration(more);
    return [name, { name, registration, unitPrices: pricesOfModel(registration, LIST) }];
  });
  return { revision: 1n, models: new Map(entries), priceSnapshot: 'snapshot', rate };
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
      priceRequest(catalogue({ small: { ...SMALL, mode: 'embedding' } }), tenant, {
        ...CALL,
        callType: 'embedding',
        maxOutputTokens: null,
      }),
    ).toMatchObject({ maxOutputTokens: 0, amountNanoEur: 1_200_000n });
  });

  test('counts no more input than the largest context in reach takes, except for an embedding’s batch', () => {
    const models = { small: { ...SMALL, limits: { contextTokens: 2000, maxOutputTokens: 10 } } };
    const call = { ...CALL, boundInputTokens: 100_000_000, maxOutputTokens: 0 };
    expect(priceRequest(catalogue(models), tenant, call)).toMatchObject({ amountNanoEur: 2_400_000n });
    const embedding = { small: { ...models.small, mode: 'embedding' as const } };
    expect(priceRequest(catalogue(embedding), tenant, { ...call, callType: 'embedding' })).toMatchObject({
      amountNanoEur: 120_000_000_000n,
    });
  });

  test('of a free model is zero', () => {
    const models = { small: { free: true, prices: null } };
    expect(priceRequest(catalogue(models), tenant, CALL)).toMatchObject({ amountNanoEur: 0n });
  });
});

describe('a shorter answer', () => {
  const clampOf = (more: object, models = catalogue({ small: SMALL })) =>
    priceRequest(models, tenant, { ...CALL, ...more });

  test('is offered from the useful minimum on, with what each step costs', () => {
    expect(clampOf({})).toMatchObject({
      clamp: {
        minOutputTokens: 256,
        minAmountNanoEur: ((1000n * 1000n + 256n * 2000n) * 120n) / 100n,
        stepOutputTokens: 16,
        stepNanoEur: (16n * 2000n * 120n) / 100n,
      },
    });
  });

  test('leaves room for what the model is asked to think, and for every choice', () => {
    expect(clampOf({ reasoningTokens: 100 })).toMatchObject({ clamp: { minOutputTokens: 356 } });
    expect(clampOf({ maxOutputTokens: 2000, choices: 3 })).toMatchObject({ clamp: { minOutputTokens: 768 } });
  });

  test('is none where no more than the minimum was asked for, or the output costs nothing', () => {
    expect(clampOf({ maxOutputTokens: 256 })).toMatchObject({ clamp: undefined });
    const free = catalogue({ small: { free: true, prices: null } });
    expect(clampOf({}, free)).toMatchObject({ clamp: undefined });
  });

  test('is none for embeddings and images', () => {
    const models = catalogue({ small: { ...SMALL, mode: 'embedding' } });
    expect(clampOf({ callType: 'embedding' }, models)).toMatchObject({ clamp: undefined });
  });
});

describe('unit prices', () => {
  const priced = (more: Partial<ModelRegistration>) =>
    priceRequest(catalogue({ small: { deployments: NOWHERE, ...more } }), tenant, CALL);
  const listed = { name: 'listed', provider: 'openai', model: 'listed', residency: 'us' };

  test('are the snapshot’s where the Model has none, and the line can tell', () => {
    expect(priced({ prices: null, deployments: [listed] })).toMatchObject({
      amountNanoEur: ((1000n * 3000n + 500n * 4000n) * 120n) / 100n,
      terms: { priceSnapshot: 'snapshot', prices: { small: { source: 'snapshot' } } },
    });
  });

  test('are the Model’s own where it has some', () => {
    expect(priced({ ...SMALL, deployments: [listed] })).toMatchObject({
      amountNanoEur: 2_400_000n,
      terms: { prices: { small: { source: 'model' } } },
    });
  });

  test('are unknown when one of its deployments is not in the snapshot', () => {
    const deployments = [listed, { ...listed, name: 'other', model: 'unheard-of' }];
    expect(priced({ prices: null, deployments })).toEqual({ fault: 'unpriced', model: 'small' });
  });

  test('of zero are no prices: only free is', () => {
    expect(priced({ prices: { inputUsdPerMillion: '0', outputUsdPerMillion: '0.00' } })).toEqual({
      fault: 'unpriced',
      model: 'small',
    });
    const models = catalogue({ small: { ...SMALL, mode: 'image' } });
    expect(priceRequest(models, tenant, { ...CALL, callType: 'image', images: 1 })).toMatchObject({
      fault: 'unpriced',
    });
  });
});

describe('a call has no price', () => {
  test('when the model is for other calls', () => {
    const models = catalogue({ small: { ...SMALL, mode: 'embedding' } });
    expect(priceRequest(models, tenant, CALL)).toEqual({ fault: 'model_not_for_this', model: 'small' });
  });

  test('when the model does not exist', () => {
    expect(priceRequest(catalogue({}), tenant, CALL)).toEqual({ fault: 'model_unknown', model: 'small' });
  });

  test('when the tenant may not use the model', () => {
    const models = catalogue({ forbidden: SMALL });
    const call = { ...CALL, model: 'forbidden' };
    expect(priceRequest(models, tenant, call)).toEqual({ fault: 'model_not_allowed', model: 'forbidden' });
  });

  test('when it, or a fallback it may reach, has no price: unknown is never zero', () => {
    const models = { small: { ...SMALL, fallbacks: ['large'] }, large: { prices: null, deployments: NOWHERE } };
    expect(priceRequest(catalogue(models), tenant, CALL)).toEqual({ fault: 'unpriced', model: 'large' });
  });
});
