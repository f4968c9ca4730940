import { randomBytes } from 'node:crypto';
import { type ControlPlane, ControlPlaneError, isUnreachable } from '../control-plane-client/control-plane.ts';
import type { Cluster, KubeObject } from '../runtime/cluster.ts';
import { claimedHosts } from './hosts.ts';
import type { ApplyKnowledge, Registered, TenantInput } from './input.ts';
import { ownedKind } from './kinds.ts';
import { namespaceName } from './names.ts';
import { secretData } from './resolve.ts';
import { freshSecrets, generatedSecret } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { SecretData } from './wish.ts';
import { HOST_INDEX, TENANT_INDEX, type World } from './world.ts';

/** What gathering reads from. */
export interface GatherDeps {
  world: World;
  cluster: Cluster;
  controlPlane: ControlPlane;
  settings: Settings;
  applying: ApplyKnowledge;
  now(): number;
}

/** Collects everything a decision about the Tenant may depend on; nothing when there is no such Tenant. */
export async function gather(deps: GatherDeps, name: string, signal: AbortSignal): Promise<TenantInput | undefined> {
  const { world, settings } = deps;
  const tenant = world.tenants.store.get(name);
  if (!tenant) return undefined;
  const models = [...world.models.store.values()];
  const namespace = await findNamespace(deps, name, signal);
  const watched = world.owned.flatMap(({ store }) => [...store.lookup(TENANT_INDEX, name)]);
  const inNamespace = watched.filter(({ metadata }) => metadata.namespace === namespaceName(name));
  const owned = inNamespace.filter(({ kind }) => kind !== 'Pod');
  return {
    now: deps.now(),
    settings,
    applying: deps.applying,
    tenant,
    plans: [...world.plans.store.values()],
    models,
    rivals: rivalsOf(world, tenant, settings.baseDomain),
    platformSecrets: namedSecrets(world, settings, tenant, models),
    namespace,
    owned: [...owned, ...(namespace ? await unlabelledSecrets(deps, name, owned, signal) : [])],
    pods: inNamespace.filter(({ kind }) => kind === 'Pod'),
    registered: await askControlPlane(deps.controlPlane, name),
    fresh: freshSecrets((bytes) => randomBytes(bytes).toString('base64url'), name),
    has: world.has,
  };
}

/** Other Tenants that claim a host name of this one. */
export function rivalsOf(world: World, tenant: KubeObject, baseDomain: string): KubeObject[] {
  const hosts = claimedHosts(tenant, baseDomain);
  const claimants = hosts.flatMap((host) => [...world.tenants.store.lookup(HOST_INDEX, host)]);
  return [...new Set(claimants)].filter(({ metadata }) => metadata.name !== tenant.metadata.name);
}

/** The watch only tells of namespaces with our label; one of somebody else must be seen too before it is touched. */
async function findNamespace({ world, cluster }: GatherDeps, tenant: string, signal: AbortSignal) {
  const name = namespaceName(tenant);
  const store = world.owned.find(({ resource }) => resource.kind === 'Namespace')?.store;
  return store?.get(name) ?? (await cluster.get({ resource: ownedKind.namespace, name }, signal));
}

/** A generated Secret that lost its labels, or is too new for the watch, must not look as if it did not exist. */
async function unlabelledSecrets(
  { cluster }: GatherDeps,
  tenant: string,
  owned: readonly KubeObject[],
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const known = new Set(owned.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name));
  const unknown = Object.values(generatedSecret).filter(({ name }) => !known.has(name));
  const namespace = namespaceName(tenant);
  const found = await Promise.all(
    unknown.map(({ name }) => cluster.get({ resource: ownedKind.secret, namespace, name }, signal)),
  );
  return found.filter((secret) => secret !== undefined);
}

/** Secrets of the platform that a Model, the Tenant or the settings name; the others are nobody's business. */
function namedSecrets(
  { platformSecrets }: World,
  settings: Settings,
  tenant: KubeObject,
  models: readonly KubeObject[],
): Record<string, SecretData> {
  const names = new Set(models.flatMap(secretNamesOf));
  const external = (tenant.spec as { postgres?: { externalSecretName?: string } } | undefined)?.postgres;
  if (external?.externalSecretName) names.add(external.externalSecretName);
  if (settings.tls && 'caSecret' in settings.tls) names.add(settings.tls.caSecret);
  const found = [...names].flatMap((name) => {
    const secret = platformSecrets.store.get(`${settings.platformNamespace}/${name}`);
    return secret ? [[name, secretData(secret)] as const] : [];
  });
  return Object.fromEntries(found);
}

/** Names of the Secrets in which a Model's keys lie. */
export function secretNamesOf(model: KubeObject): string[] {
  const { deployments } = (model.spec ?? {}) as { deployments?: { apiKeySecret?: { name?: string } }[] };
  return (deployments ?? []).flatMap(({ apiKeySecret }) => (apiKeySecret?.name ? [apiKeySecret.name] : []));
}

async function askControlPlane(controlPlane: ControlPlane, name: string): Promise<Registered> {
  try {
    const tenant = await controlPlane.tenant(name);
    return tenant ? { answer: 'known', tenant } : { answer: 'unknown' };
  } catch (error) {
    if (!(error instanceof ControlPlaneError) || !isUnreachable(error)) throw error;
    return { answer: 'unreachable', message: error.message };
  }
}
