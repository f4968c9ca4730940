import { type Model, type ModelDeployment, readModel } from '@cloudfreedom/crds/model.ts';
import type { PlanSpec } from '@cloudfreedom/crds/plan.ts';
import type { TenantSpec } from '@cloudfreedom/crds/tenant.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { providerKeyVariable } from './names.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { SecretData } from './wish.ts';

/** One deployment a tenant may call, and the environment variable that holds its key. */
export interface RouteDeployment extends ModelDeployment {
  keyVariable: string;
}

/** A Model as one tenant may use it: only deployments of its residency, only fallbacks it may use too. */
export interface ModelRoute {
  name: string;
  spec: Model['spec'];
  deployments: RouteDeployment[];
  fallbacks: string[];
}

/** What a tenant may call, with the keys for it, and what was left out for want of a key. */
export interface Routing {
  routes: ModelRoute[];
  providerKeys: SecretData;
  leftOut: string[];
}

/** What routes follow from. */
export interface RoutingInput {
  spec: TenantSpec;
  plan: PlanSpec;
  models: readonly KubeObject[];
  /** Secrets of the platform namespace by name. */
  platformSecrets: Readonly<Record<string, SecretData>>;
}

/**
 * Decides which Models and deployments a tenant may call. A Model that the Tenant names must work as wished, or the
 * Tenant is refused; of those that its Plan merely includes, what cannot be served is left out and told.
 */
export function resolveRouting(input: RoutingInput): Routing | Refusal {
  const known = new Map(readable(input.models).map((model) => [model.metadata.name, model]));
  const named = input.spec.models;
  const wished = named ? [...named].sort() : [...known.keys()].sort();
  const routing: Routing = { routes: [], providerKeys: {}, leftOut: [] };
  for (const name of wished) {
    const found = usable(input, known, name);
    if ('reason' in found) {
      if (named) return found;
      if (found.reason === 'SecretMissing' || found.reason === 'SecretKeyMissing') routing.leftOut.push(found.message);
      continue;
    }
    routing.routes.push(withKeys(input, found.model, found.deployments, routing.providerKeys));
  }
  if (routing.routes.length === 0) return nothingLeft(input, routing.leftOut);
  const allowed = new Set(routing.routes.map(({ name }) => name));
  for (const route of routing.routes) route.fallbacks = route.spec.fallbacks.filter((name) => allowed.has(name));
  return routing;
}

function readable(models: readonly KubeObject[]): Model[] {
  return models.flatMap((object) => {
    const parsed = readModel(object);
    return parsed.ok && object.metadata.deletionTimestamp === undefined ? [parsed.value] : [];
  });
}

function usable(
  { spec, plan, platformSecrets }: RoutingInput,
  known: ReadonlyMap<string, Model>,
  name: string,
): { model: Model; deployments: ModelDeployment[] } | Refusal {
  const model = known.get(name);
  if (!model) {
    return refuse(
      'ModelNotFound',
      `there is no valid Model "${name}"; name one of: ${[...known.keys()].sort().join(', ') || 'none exist yet'}`,
    );
  }
  if (!plan.modelClasses.includes(model.spec.class)) {
    return refuse(
      'ModelNotInPlan',
      `Model "${name}" is of class ${model.spec.class}, plan "${spec.plan}" includes ${plan.modelClasses.join(', ')}: choose another plan or take the Model out of spec.models`,
    );
  }
  const deployments = model.spec.deployments.filter(
    ({ residency }) => spec.dataResidency === 'any' || residency === spec.dataResidency,
  );
  if (deployments.length === 0) {
    return refuse(
      'ResidencyImpossible',
      `Model "${name}" has no deployment in residency "${spec.dataResidency}": take it out of spec.models or change spec.dataResidency`,
    );
  }
  for (const { name: deployment, apiKeySecret } of deployments) {
    const secret = platformSecrets[apiKeySecret.name];
    if (!secret) {
      return refuse(
        'SecretMissing',
        `Model "${name}" needs Secret "${apiKeySecret.name}" in the platform namespace for its deployment "${deployment}": create it with key "${apiKeySecret.key}"`,
      );
    }
    if (!secret[apiKeySecret.key]) {
      return refuse(
        'SecretKeyMissing',
        `Secret "${apiKeySecret.name}" in the platform namespace has no value under key "${apiKeySecret.key}", which Model "${name}" needs: add it`,
      );
    }
  }
  return { model, deployments };
}

function withKeys(
  { platformSecrets }: RoutingInput,
  model: Model,
  deployments: readonly ModelDeployment[],
  keys: SecretData,
): ModelRoute {
  const name = model.metadata.name;
  const routed = deployments.map((deployment) => {
    const keyVariable = providerKeyVariable(name, deployment.name, new Set(Object.keys(keys)));
    keys[keyVariable] = platformSecrets[deployment.apiKeySecret.name]?.[deployment.apiKeySecret.key] ?? '';
    return { ...deployment, keyVariable };
  });
  return { name, spec: model.spec, deployments: routed, fallbacks: [] };
}

function nothingLeft({ spec, plan }: RoutingInput, leftOut: readonly string[]): Refusal {
  const [first] = leftOut;
  if (first !== undefined) return refuse('SecretMissing', first);
  return refuse(
    'NoModels',
    `no Model of class ${plan.modelClasses.join(', ')} has a deployment in residency "${spec.dataResidency}": apply one, or change spec.plan or spec.dataResidency`,
  );
}
