import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors } from 'oidc-provider';
import type pg from 'pg';
import type { Logger } from 'pino';
import { clientOf, type TrustedProxies } from '../http/client.ts';
import { network } from '../http/limits/quotas.ts';
import type { RateLimits } from '../http/limits/rate-limits.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Mount } from '../http/server.ts';
import { INTERACTION_PATH } from './configuration.ts';
import { interact } from './interaction.ts';
import { errorPage, PAGE_SECURITY } from './pages.ts';
import type { Providers } from './providers.ts';
import type { MountedRequest } from './visitor.ts';

const PREFIX = '/oidc';

export type MountParts = {
  readonly providers: Providers;
  readonly pool: pg.Pool;
  readonly portalUrl: string;
  readonly proxies: TrustedProxies;
  readonly limits: RateLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => Date;
  readonly draining: () => boolean;
};

/** The provider among the things this server answers. */
export function oidcMount(parts: MountParts): Mount {
  const portal = new URL(parts.portalUrl);
  return {
    prefix: PREFIX,
    handle: (request, response) => {
      const start = performance.now();
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      response.once('close', () => note(parts, request, response, path, performance.now() - start));
      // The next request of this connection goes to another replica.
      if (parts.draining()) response.setHeader('connection', 'close');
      const visitor = clientOf(request, parts.proxies);
      (request as MountedRequest).visitor = visitor;
      speakAs(portal, request);
      answer(parts, request, response, path, visitor.address ?? 'unknown').catch((error: unknown) =>
        fail(parts, request, response, error),
      );
    },
  };
}

/**
 * Addresses in what the library says follow the headers of the request, and it believes a proxy's. So they say what we
 * know and nothing else: whatever name somebody calls us by, we are the issuer.
 */
function speakAs(portal: URL, { headers }: IncomingMessage): void {
  for (const name of Object.keys(headers)) {
    if (name === 'forwarded' || name.startsWith('x-forwarded-')) delete headers[name];
  }
  headers.host = portal.host;
  headers['x-forwarded-proto'] = portal.protocol.slice(0, -1);
}

async function answer(
  parts: MountParts,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  address: string,
): Promise<void> {
  // Everybody may begin a sign-in, and each is kept for a while: no address begins more than the API's limit says.
  const verdict = await parts.limits.take([{ quota: 'address', id: network(address) }]);
  if (!verdict.allowed) return tooMany(response, verdict.retryAfterSeconds);
  const { provider, handle } = await parts.providers.present();
  if (path.startsWith(`${INTERACTION_PATH}/`)) return interact(provider, parts, request, response, path);
  // As a router would hand it over: the library finds the part before its own addresses by comparing the two.
  const mounted: MountedRequest = request;
  mounted.originalUrl = request.url ?? '';
  request.url = mounted.originalUrl.slice(PREFIX.length) || '/';
  await handle(request, response);
}

function tooMany(response: ServerResponse, retryAfterSeconds: number): void {
  const text = `too many calls from your address; go on in ${retryAfterSeconds} seconds`;
  const body = JSON.stringify({ error: 'temporarily_unavailable', error_description: text });
  const headers = { 'content-type': 'application/json', 'retry-after': String(retryAfterSeconds), ...PAGE_SECURITY };
  response.writeHead(429, headers).end(body);
}

function fail(parts: MountParts, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const known = error instanceof errors.OIDCProviderError ? error : undefined;
  if (known === undefined) parts.log.error({ err: error }, 'the OpenID provider failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const language = /^\s*en/i.test(request.headers['accept-language'] ?? '') ? 'en' : 'de';
  const code = known?.error ?? 'server_error';
  const body = errorPage(language, parts.portalUrl, { code, text: known?.error_description ?? '' });
  response.writeHead(known?.statusCode ?? 503, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    ...PAGE_SECURITY,
  });
  response.end(body);
}

/** As for every operation, without the query: codes and tokens are in it. */
function note(
  { metrics, log }: MountParts,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  milliseconds: number,
): void {
  const status = response.statusCode;
  metrics.requestSeconds.observe({ route: 'oidc', status: String(status) }, milliseconds / 1000);
  const ms = Math.round(milliseconds * 100) / 100;
  const shown = path.replace(/^(\/oidc\/(?:auth|interaction))\/.*/, '$1/…');
  log.info({ requestId: randomUUID(), route: 'oidc', method: request.method, path: shown, status, ms }, 'request');
}
