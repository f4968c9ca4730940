import type { KubeObject } from '../runtime/cluster.ts';

/** Host names a Tenant claims, the main one first. It reads the raw object: an invalid Tenant holds its names too. */
export function claimedHosts(tenant: KubeObject, baseDomain: string): [string, ...string[]] {
  const spec = (tenant.spec ?? {}) as { hostname?: unknown; customDomains?: unknown };
  const label = typeof spec.hostname === 'string' ? spec.hostname : tenant.metadata.name;
  const custom = Array.isArray(spec.customDomains) ? spec.customDomains.filter((each) => typeof each === 'string') : [];
  return [`${label}.${baseDomain}`.toLowerCase(), ...custom.map((host) => host.toLowerCase())];
}

/** Whether `a` came first; of two from the same second, the lower UID. */
export function isOlder(a: KubeObject, b: KubeObject): boolean {
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return left === right ? (a.metadata.uid ?? '') < (b.metadata.uid ?? '') : left < right;
}

/** The first of `hosts` that an older Tenant holds, and that Tenant's name. */
export function takenHost(
  tenant: KubeObject,
  hosts: readonly string[],
  others: readonly KubeObject[],
  baseDomain: string,
): { host: string; by: string } | undefined {
  for (const other of others) {
    if (other.metadata.uid === tenant.metadata.uid || !isOlder(other, tenant)) continue;
    const claimed = new Set(claimedHosts(other, baseDomain));
    const host = hosts.find((each) => claimed.has(each));
    if (host !== undefined) return { host, by: other.metadata.name };
  }
  return undefined;
}
