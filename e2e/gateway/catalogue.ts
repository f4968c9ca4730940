import type { KubeObject } from '../../operator/src/runtime/cluster.ts';

/** Name and value of the Secret that all models of the tests take their provider key from. */
export const PROVIDER_SECRET = 'provider-keys';
export const PROVIDER_KEY = 'provider-key-of-the-tests';

interface Sort {
  provider: 'openai' | 'anthropic' | 'gemini';
  model: string;
  input: string;
  output: string;
  fallbacks?: string[];
}

/** The eight models by name, as their providers call and price them. */
const CHAT: Record<string, Sort> = {
  'gpt-4o': { provider: 'openai', model: 'gpt-4o', input: '2.50', output: '10.00', fallbacks: ['claude-3-5-sonnet'] },
  'gpt-4o-mini': { provider: 'openai', model: 'gpt-4o-mini', input: '0.15', output: '0.60' },
  'gpt-4-turbo': { provider: 'openai', model: 'gpt-4-turbo', input: '10.00', output: '30.00' },
  'claude-3-5-sonnet': { provider: 'anthropic', model: 'claude-3-5-sonnet-20241022', input: '3.00', output: '15.00' },
  'claude-3-5-haiku': { provider: 'anthropic', model: 'claude-3-5-haiku-20241022', input: '0.80', output: '4.00' },
  'claude-3-opus': { provider: 'anthropic', model: 'claude-3-opus-20240229', input: '15.00', output: '75.00' },
  'gemini-2.0-flash': { provider: 'gemini', model: 'gemini-2.0-flash', input: '0.10', output: '0.40' },
  'gemini-1.5-pro': { provider: 'gemini', model: 'gemini-1.5-pro', input: '1.25', output: '5.00' },
};

export const CHAT_MODELS = Object.keys(CHAT);
/** One model of each provider's wire format. */
export const ONE_OF_EACH = ['gpt-4o-mini', 'claude-3-5-haiku', 'gemini-1.5-pro'];
export const EMBEDDING_MODEL = 'text-embedding-3-small';
export const IMAGE_MODEL = 'gpt-image-1';

/** Tokens of every chat model of the tests. */
export const CONTEXT_TOKENS = 128_000;
export const MAX_OUTPUT_TOKENS = 4_096;

/** Where each provider's client expects the fake upstream. */
const BASE_PATH = { openai: '/v1', anthropic: '', gemini: '/v1beta' } as const;

/** The Models of the tests as custom resources, all served by the fake upstream at `upstreamUrl`. */
export function catalogue(upstreamUrl: string): KubeObject[] {
  const chat = Object.entries(CHAT).map(([name, sort]) =>
    model(name, upstreamUrl, sort, {
      mode: 'chat',
      prices: {
        inputUsdPerMillion: sort.input,
        outputUsdPerMillion: sort.output,
        ...(sort.provider === 'anthropic' && { cachedInputUsdPerMillion: '0.10', cacheWriteUsdPerMillion: '18.75' }),
      },
      limits: { contextTokens: CONTEXT_TOKENS, maxOutputTokens: MAX_OUTPUT_TOKENS },
    }),
  );
  const openai = { provider: 'openai' as const, input: '0', output: '0' };
  return [
    ...chat,
    model(
      EMBEDDING_MODEL,
      upstreamUrl,
      { ...openai, model: EMBEDDING_MODEL },
      {
        mode: 'embedding',
        prices: { inputUsdPerMillion: '0.02', outputUsdPerMillion: '0' },
        limits: { contextTokens: 8_192, maxOutputTokens: 0 },
      },
    ),
    model(
      IMAGE_MODEL,
      upstreamUrl,
      { ...openai, model: IMAGE_MODEL },
      {
        mode: 'image',
        prices: { inputUsdPerMillion: '5.00', outputUsdPerMillion: '0', imageUsd: '0.04' },
        limits: { contextTokens: 32_000, maxOutputTokens: 0 },
      },
    ),
  ];
}

function model(name: string, upstreamUrl: string, sort: Sort, spec: object): KubeObject {
  return {
    apiVersion: 'cloudfreedom.de/v1alpha1',
    kind: 'Model',
    metadata: { name, uid: name, resourceVersion: '1', generation: 1 },
    spec: {
      class: 'full',
      fallbacks: sort.fallbacks ?? [],
      ...spec,
      deployments: [
        {
          name: sort.provider,
          provider: sort.provider,
          model: sort.model,
          apiBase: `${upstreamUrl}${BASE_PATH[sort.provider]}`,
          residency: 'us',
          apiKeySecret: { name: PROVIDER_SECRET },
        },
      ],
    },
  } as KubeObject;
}
