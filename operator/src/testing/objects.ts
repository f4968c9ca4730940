import type { KubeObject } from '../runtime/cluster.ts';
import { API_VERSION } from '../tenant/names.ts';

/** A Tenant as the API server stores it: generation 1, a UID made from its name. `spec` is laid over a small one. */
export function tenant(
  name = 'acme',
  spec: Record<string, unknown> = {},
  metadata: Partial<KubeObject['metadata']> = {},
): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Tenant',
    metadata: { name, uid: `uid-${name}`, generation: 1, creationTimestamp: '2026-03-01T08:00:00Z', ...metadata },
    spec: { displayName: 'Acme', plan: 'professional', owners: ['owner@acme.example'], ...spec },
  };
}

/** A Plan with a budget of 100 euro and all classes of models. */
export function plan(name = 'professional', spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Plan',
    metadata: { name, uid: `uid-${name}`, generation: 1 },
    spec: { displayName: 'Professional', monthlyBudgetEur: '100.00', modelClasses: ['mini', 'full'], ...spec },
  };
}

/** A chat Model of class full with one deployment in the US and a key in Secret `openai`. */
export function model(name: string, spec: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Model',
    metadata: { name, uid: `uid-${name}`, generation: 1 },
    spec: {
      class: 'full',
      limits: { contextTokens: 128000, maxOutputTokens: 16384 },
      prices: { inputUsdPerMillion: '2.50', outputUsdPerMillion: '10.00' },
      deployments: [deployment('primary', { model: name })],
      ...spec,
    },
  };
}

/** A deployment of a Model at OpenAI in the US. */
export function deployment(name: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, provider: 'openai', model: 'gpt-4o', residency: 'us', apiKeySecret: { name: 'openai' }, ...fields };
}

/** A Secret with text data. */
export function secret(namespace: string, name: string, data: Record<string, string>): KubeObject {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'Opaque',
    data: Object.fromEntries(encoded),
  };
}
