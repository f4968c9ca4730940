import { describe, expect, test } from 'vitest';
import { shippedPriceList } from '../catalogue/price-snapshot.ts';
import { unitPrices } from './price.ts';
import { reducePriceFile } from './price-list.ts';

const CHAT = { litellm_provider: 'openai', mode: 'chat', input_cost_per_token: 1.5e-7, output_cost_per_token: 6e-7 };

const reduced = (entry: object, name = 'model') => reducePriceFile('1.2.3', { [name]: { ...CHAT, ...entry } }).prices;

describe('LiteLLM’s price file', () => {
  test('is taken over digit by digit, under the provider’s own name of the model', () => {
    const cached = { cache_read_input_token_cost: 7.5e-8, cache_creation_input_token_cost: 0.000_012_5 };
    expect(reduced({ ...cached, litellm_provider: 'gemini' }, 'gemini/model')).toEqual({
      'gemini/model': {
        inputUsdPerMillion: '0.15',
        cachedInputUsdPerMillion: '0.075',
        cacheWriteUsdPerMillion: '12.5',
        outputUsdPerMillion: '0.6',
      },
    });
  });

  test('tells the tier of long contexts', () => {
    const tier = {
      input_cost_per_token_above_200k_tokens: 3e-7,
      output_cost_per_token_above_200k_tokens: 0.000_001,
      cache_read_input_token_cost_above_200k_tokens_priority: 9,
    };
    expect(reduced(tier)['openai/model']?.longContext).toEqual({
      aboveTokens: 200_000,
      inputUsdPerMillion: '0.3',
      outputUsdPerMillion: '1',
    });
  });

  test('has reasoning billed as output, at the dearer of the two', () => {
    expect(reduced({ output_cost_per_reasoning_token: 9e-7 })['openai/model']?.outputUsdPerMillion).toBe('0.9');
  });

  test('prices an image at its dearest size and quality', () => {
    const image = { litellm_provider: 'openai', mode: 'image_generation' };
    const { prices } = reducePriceFile('1.2.3', {
      picture: { ...image, input_cost_per_token: 0.000_005 },
      'low/1024-x-1024/picture': { ...image, input_cost_per_image: 0.009 },
      'high/1024-x-1536/picture': { ...image, input_cost_per_image: 0.2 },
    });
    expect(prices).toEqual({
      'openai/picture': { inputUsdPerMillion: '5', outputUsdPerMillion: '0', imageUsd: '0.2' },
    });
  });

  test.each([
    ['without an output price', { output_cost_per_token: undefined }],
    ['with a negative price', { input_cost_per_token: -1.5e-7 }],
    ['with a negative price of one bucket', { cache_read_input_token_cost: -1 }],
    ['that costs nothing', { input_cost_per_token: 0, output_cost_per_token: 0 }],
    ['with a price finer than a pico-USD', { input_cost_per_token: 1.5e-13 }],
    ['with a text for a price', { input_cost_per_token: '0.1' }],
    ['that is no model we can route', { mode: 'realtime' }],
    ['of a provider we cannot speak to', { litellm_provider: 'bedrock' }],
  ])('an entry %s is left out: unpriced, never free', (_what, more) => {
    expect(reduced(more)).toEqual({});
  });

  test.each(['gpt-9-search-preview', 'o9-deep-research'])(
    '%s searches by itself, at prices no bound covers',
    (name) => {
      expect(reduced({}, name)).toEqual({});
    },
  );
});

test('the shipped list knows its release, and every price of it can be billed', async () => {
  const { litellm, prices } = await shippedPriceList();
  expect(litellm).toMatch(/^\d+\.\d+\.\d+$/);
  expect(Object.keys(prices).length).toBeGreaterThan(100);
  for (const quotes of Object.values(prices)) {
    const { input, output, image } = unitPrices(quotes);
    expect(input + output + image > 0n).toBe(true);
  }
  expect(prices['openai/gpt-4o-mini']).toEqual({
    inputUsdPerMillion: '0.15',
    cachedInputUsdPerMillion: '0.075',
    outputUsdPerMillion: '0.6',
  });
});
