import { type Model, readModel } from '@cloudfreedom/crds/model.ts';
import { problemsText } from '@cloudfreedom/crds/parse.ts';
import type { Entry } from '../catalogue/reconcile.ts';
import type { ModelRegistration } from '../control-plane-client/shapes.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { type Refusal, refuse } from '../tenant/refusal.ts';
import type { SecretData } from '../tenant/wish.ts';

/** What a Model is judged against. */
export interface ModelSurroundings {
  /** Names of all Models. */
  models: ReadonlySet<string>;
  /** Secrets of the platform namespace that Models name. */
  platformSecrets: Readonly<Record<string, SecretData>>;
}

/**
 * What the control plane must know of a Model, and what is wrong with it. One that points to Models or Secrets that do
 * not exist yet is registered all the same: the order in which a catalogue is applied must not matter. Pure.
 */
export function decideModel(object: KubeObject, surroundings: ModelSurroundings): Entry<ModelRegistration> {
  const parsed = readModel(object);
  if (!parsed.ok) {
    return { registration: undefined, refusal: refuse('InvalidSpec', problemsText(parsed.problems)) };
  }
  return { registration: registration(parsed.value), refusal: dangling(parsed.value, surroundings) };
}

/** Its requests are refused until somebody says what it costs. */
export const unpriced: Refusal = refuse(
  'Unpriced',
  'spec.prices is absent and the platform does not know what every deployment costs: state prices, or free: true',
);

function registration({ spec }: Model): ModelRegistration {
  const { prices } = spec;
  return {
    class: spec.class,
    mode: spec.mode,
    free: spec.free,
    limits: { ...spec.limits },
    prices: prices
      ? (Object.fromEntries(
          Object.entries(prices).filter(([, price]) => price !== undefined),
        ) as typeof prices as never)
      : null,
    fallbacks: [...spec.fallbacks],
    replacedBy: spec.replacedBy ?? null,
    deployments: spec.deployments.map(({ name, provider, model, residency }) => ({ name, provider, model, residency })),
  };
}

function dangling({ spec }: Model, { models, platformSecrets }: ModelSurroundings): Refusal | undefined {
  const fallback = spec.fallbacks.find((name) => !models.has(name));
  if (fallback !== undefined) {
    return refuse(
      'ModelNotFound',
      `spec.fallbacks names Model "${fallback}", which does not exist: apply it or take it out`,
    );
  }
  if (spec.replacedBy !== undefined && !models.has(spec.replacedBy)) {
    return refuse(
      'ModelNotFound',
      `spec.replacedBy names Model "${spec.replacedBy}", which does not exist: apply it or take it out`,
    );
  }
  for (const { name, apiKeySecret } of spec.deployments) {
    const secret = platformSecrets[apiKeySecret.name];
    if (!secret) {
      return refuse(
        'SecretMissing',
        `deployment "${name}" needs Secret "${apiKeySecret.name}" in the platform namespace: create it with key "${apiKeySecret.key}"`,
      );
    }
    if (!secret[apiKeySecret.key]) {
      return refuse(
        'SecretKeyMissing',
        `secret "${apiKeySecret.name}" in the platform namespace has no value under key "${apiKeySecret.key}", which deployment "${name}" needs: add it`,
      );
    }
  }
  return undefined;
}
