import type { Middleware } from 'koa';
import type { MountedRequest } from './visitor.ts';

/** Endpoints that a chat calls from its own pod; all others are for browsers. */
const FROM_PODS = ['token_endpoint', 'userinfo_endpoint', 'jwks_uri', 'revocation_endpoint'] as const;
/** The two documents as the library sees their addresses: below the issuer. */
const DISCOVERY = '/.well-known/openid-configuration';
export const CLUSTER_DISCOVERY = `/cluster${DISCOVERY}`;

/**
 * The discovery document for pods of the cluster: the same issuer and the same pages for browsers, but what a pod calls
 * itself is named by the address inside, so that no pod needs the ingress, its name or its certificate authority.
 */
export function clusterDiscovery(issuer: string, clusterUrl: string): Middleware {
  const path = new URL(issuer).pathname;
  return async (ctx, next) => {
    if (ctx.path !== CLUSTER_DISCOVERY) return next();
    ctx.url = DISCOVERY;
    (ctx.req as MountedRequest).originalUrl = path + DISCOVERY;
    await next();
    const document = ctx.body as Record<string, unknown>;
    for (const endpoint of FROM_PODS) {
      const url = document[endpoint];
      if (typeof url === 'string') document[endpoint] = clusterUrl + new URL(url).pathname;
    }
  };
}
