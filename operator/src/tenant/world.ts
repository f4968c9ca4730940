import type { KubeObject, Resource } from '../runtime/cluster.ts';
import type { Reflector } from '../runtime/reflector.ts';
import { byLabel, type IndexFunction, Store } from '../runtime/store.ts';
import { claimedHosts } from './hosts.ts';
import { customKind, observedKind, optionalKind, ownedKind } from './kinds.ts';
import { OWNED_SELECTOR, TENANT_LABEL } from './names.ts';

/** Index of Tenants by the host names they claim. */
export const HOST_INDEX = 'host';
/** Index of everything in a tenant's namespace by the Tenant's name. */
export const TENANT_INDEX = 'tenant';

/** Everything the operator watches, each kind mirrored once. */
export interface World {
  tenants: Reflector;
  plans: Reflector;
  models: Reflector;
  /** Secrets of the platform namespace. */
  platformSecrets: Reflector;
  /** Kinds of which a tenant is made, and its pods. */
  owned: readonly Reflector[];
  has: { serviceMonitors: boolean; certificates: boolean };
}

/** Makes a reflector with a store that has these indexes. */
export type MakeReflector = (
  resource: Resource,
  selection: { namespace?: string; labelSelector?: string },
  store: Store,
) => Reflector;

/** Describes what to watch; nothing runs yet. */
export function createWorld(
  make: MakeReflector,
  platform: { namespace: string; baseDomain: string },
  has: World['has'],
): World {
  const byHost: IndexFunction = (tenant) => claimedHosts(tenant, platform.baseDomain);
  const ofTenant = () => new Store({ [TENANT_INDEX]: byLabel(TENANT_LABEL) });
  const kinds = [
    ...Object.values(ownedKind),
    ...(has.certificates ? [optionalKind.certificate] : []),
    ...(has.serviceMonitors ? [optionalKind.serviceMonitor] : []),
    observedKind.pod,
  ];
  return {
    tenants: make(customKind.tenant, {}, new Store({ [HOST_INDEX]: byHost })),
    plans: make(customKind.plan, {}, new Store()),
    models: make(customKind.model, {}, new Store()),
    platformSecrets: make(ownedKind.secret, { namespace: platform.namespace }, new Store()),
    owned: kinds.map((kind) => make(kind, { labelSelector: `${OWNED_SELECTOR},${TENANT_LABEL}` }, ofTenant())),
    has,
  };
}

/** Every reflector of a world. */
export function reflectorsOf({ tenants, plans, models, platformSecrets, owned }: World): Reflector[] {
  return [tenants, plans, models, platformSecrets, ...owned];
}

/** The Tenant an owned object belongs to. */
export function tenantOf(object: KubeObject): string | undefined {
  return object.metadata.labels?.[TENANT_LABEL];
}
