import type { IncomingMessage } from 'node:http';
import { admit } from './admit.ts';
import { ANONYMOUS, type Credentials, identify, type Principal, refuseOtherSites } from './auth.ts';
import { clientOf, cookiesOf } from './client.ts';
import { type Bucket, bucketsOf, countsInTenant } from './limits/quotas.ts';
import type { Role } from './permissions.ts';
import type { Pipeline } from './pipeline.ts';
import { HttpProblem } from './problem.ts';
import type { Route } from './route.ts';

/** Who calls, and what they are in the tenant that the address names. */
export type Caller = { readonly principal: Principal; readonly role: Role | undefined };

/**
 * Who calls, let in or turned away before anything of the request is read. Whoever it is, the call is counted first:
 * who tries keys is limited by the address. Only those who are in a tenant count in its limit.
 * @param onCounted hears what is left of the caller's limits, for the answer's headers
 * @throws HttpProblem 401, 403, 404 or 429
 */
export async function callerOf(
  pipeline: Pipeline,
  route: Route,
  params: Record<string, unknown>,
  request: IncomingMessage,
  onCounted: (headers: Record<string, string>) => void,
): Promise<Caller> {
  const { services, keys, limits, proxies } = pipeline;
  const credentials = credentialsOf(request);
  const count = async (buckets: readonly Bucket[]) => {
    if (buckets.length === 0) return;
    const { allowed, headers, quota, retryAfterSeconds } = await limits.take(buckets);
    onCounted(headers);
    if (allowed) return;
    const detail = `too many calls (limit "${quota}"); go on in ${retryAfterSeconds} seconds`;
    throw new HttpProblem(429, 'rate_limited', detail, { retryAfterSeconds });
  };
  const address = clientOf(request, proxies).address ?? 'unknown';
  if (route.access === 'public') {
    await count(bucketsOf(route, ANONYMOUS, address));
    if (credentials.authorization === undefined) refuseOtherSites(credentials, services.portalUrl, false);
    return { principal: ANONYMOUS, role: undefined };
  }
  const principal = (await identify(credentials, services, keys)) ?? ANONYMOUS;
  await count(bucketsOf(route, principal, address));
  const tenant = typeof params.tenant === 'string' ? params.tenant : undefined;
  const role = await admit(principal, route, tenant, services.pool);
  if (tenant !== undefined && countsInTenant(route, principal, role)) await count([{ quota: 'tenant', id: tenant }]);
  return { principal, role };
}

/**
 * Judges once more who called, as things are by now; counts nothing.
 * @throws HttpProblem 401, 403 or 404 where they would be turned away today
 */
export async function admitAgain(
  { services, keys }: Pipeline,
  route: Route,
  params: Record<string, unknown>,
  request: IncomingMessage,
): Promise<void> {
  const principal = await identify(credentialsOf(request), services, keys);
  const tenant = typeof params.tenant === 'string' ? params.tenant : undefined;
  await admit(principal, route, tenant, services.pool);
}

function credentialsOf(request: IncomingMessage): Credentials {
  return {
    method: request.method ?? 'GET',
    authorization: request.headers.authorization,
    origin: request.headers.origin,
    fetchSite: headerOf(request, 'sec-fetch-site'),
    cookies: cookiesOf(request),
  };
}

export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
