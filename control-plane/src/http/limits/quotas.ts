import type { Principal } from '../auth.ts';
import type { Role } from '../permissions.ts';
import type { Route } from '../route.ts';

/** Seconds of every window. */
export const WINDOW_SECONDS = 60;

/** Calls per window. The names are what answers show in RateLimit-Policy. */
export const QUOTAS = {
  /** Of one client address without a key or session, or with one that is not valid. */
  anonymous: 300,
  /** Of one client address, whoever calls from it. */
  address: 6_000,
  person: 600,
  /** Of one API key or service token. */
  key: 1_200,
  /** Of all people and keys in one tenant. */
  tenant: 6_000,
  /** Of the platform's admin key. */
  admin: 12_000,
  /** Of one caller, of what costs the database much: exports, recomputations. */
  expensive: 30,
} as const;
export type QuotaName = keyof typeof QUOTAS;
export type Quotas = Record<QuotaName, number>;

/** One caller's share of one quota. */
export type Bucket = { readonly quota: QuotaName; readonly id: string };

/**
 * Which quotas of the caller a call counts in. Decides only. Gateways and the operator are limited by what they do, and
 * health by nothing: they must not be told to wait when people are many.
 */
export function bucketsOf(
  route: Pick<Route, 'access' | 'limit'>,
  principal: Principal,
  address: string,
): readonly Bucket[] {
  if (route.access === 'gateway' || route.limit === 'none') return [];
  const caller = callerOf(principal, network(address));
  if (caller === undefined) return [];
  const buckets = [caller];
  if (caller.quota === 'person' || caller.quota === 'key') buckets.push({ quota: 'address', id: network(address) });
  if (route.limit === 'expensive') buckets.push({ quota: 'expensive', id: `${caller.quota}:${caller.id}` });
  return buckets;
}

/** Whether a call counts in the quota of the tenant that its address names: those of its people and keys do. */
export function countsInTenant(route: Pick<Route, 'limit'>, principal: Principal, role: Role | undefined): boolean {
  if (route.limit === 'none') return false;
  return (
    principal.kind === 'key' || principal.kind === 'service' || (principal.kind === 'person' && role !== undefined)
  );
}

function callerOf(principal: Principal, from: string): Bucket | undefined {
  switch (principal.kind) {
    case 'anonymous':
      return { quota: 'anonymous', id: from };
    case 'person':
      return { quota: 'person', id: principal.person.id };
    case 'key':
    case 'service':
      // Tokens are exchanged for a key, as many as one likes: the key counts.
      return { quota: 'key', id: principal.keyId };
    case 'admin':
      return { quota: 'admin', id: 'admin' };
    case 'operator':
    case 'gateway':
      return undefined;
  }
}

/** Whoever has an IPv6 address has 2^64 of them: the network counts. An IPv4 address in IPv6 clothes is an IPv4 one. */
export function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - first.length - last.length)).fill('0');
  const groups = [...first, ...zeros, ...last].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${groups.join(':')}::/64`;
}
