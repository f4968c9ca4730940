/**
 * Google, GitLab and GitHub as far as a sign-in sees them: the first two speak OpenID Connect, the third OAuth 2 and its
 * API. Each is strict about client, redirect_uri, PKCE and the single use of codes, and each shows a page on which a
 * browser says who it is.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { accountOf } from './account.ts';
import { authorizationRequestOf, Grants } from './authorization.ts';
import { type Client, isClient } from './client.ts';
import { GITHUB_PATHS, githubEmails, githubUser } from './github.ts';
import {
  createOpenIdKeys,
  discoveryDocument,
  GITLAB_PATHS,
  GOOGLE_PATHS,
  idToken,
  type OpenIdKeys,
  type OpenIdPaths,
  userinfo,
} from './openid.ts';
import { accountPage, refusalPage } from './page.ts';

export type FakeIdentity = { readonly url: string; readonly close: () => Promise<void> };
export type FakeIdentityOptions = {
  readonly client: Client;
  /** How others reach it, without a slash at the end; the address it listens on where none is given. */
  readonly baseUrl?: string | undefined;
  readonly port?: number;
  readonly host?: string;
};

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly url: URL };
type Handler = (exchange: Exchange) => Promise<void> | void;

/** Starts the three of them, at /google, /gitlab and /github; port 0 takes a free one. */
export async function startFakeIdentity(options: FakeIdentityOptions): Promise<FakeIdentity> {
  const { host = '127.0.0.1', port = 0, client } = options;
  const handlers = new Map<string, Handler>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://identity');
    const handler = handlers.get(`${request.method} ${url.pathname}`);
    if (handler === undefined) return json(response, 404, { error: 'not_found' });
    Promise.resolve(handler({ request, response, url })).catch((error: unknown) => {
      console.error('fake identity:', error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const base = options.baseUrl ?? `http://${host}:${(server.address() as AddressInfo).port}`;
  handlers.set('GET /healthz', ({ response }) => json(response, 200, { status: 'ok' }));
  openId(handlers, '/google', base, 'Google', GOOGLE_PATHS, client, createOpenIdKeys());
  openId(handlers, '/gitlab', base, 'GitLab', GITLAB_PATHS, client, createOpenIdKeys());
  github(handlers, '/github', client);
  return { url: base, close: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

function openId(
  handlers: Map<string, Handler>,
  prefix: string,
  base: string,
  name: string,
  paths: OpenIdPaths,
  client: Client,
  keys: OpenIdKeys,
): void {
  const issuer = base + prefix;
  const grants = new Grants();
  authorizePage(handlers, prefix + paths.authorize, name, client, grants);
  handlers.set(`GET ${prefix}/.well-known/openid-configuration`, ({ response }) =>
    json(response, 200, discoveryDocument(issuer, paths)),
  );
  handlers.set(`GET ${prefix}${paths.keys}`, ({ response }) => json(response, 200, { keys: [keys.own.jwk] }));
  handlers.set(`POST ${prefix}${paths.token}`, async ({ request, response }) => {
    const form = new URLSearchParams(await text(request));
    if (!isClient(client, request.headers.authorization, form)) return json(response, 401, { error: 'invalid_client' });
    const grant = form.get('grant_type') === 'authorization_code' ? grants.redeem(form) : undefined;
    if (grant === undefined) return json(response, 400, { error: 'invalid_grant' });
    const scopes = grant.request.scope.split(' ');
    json(response, 200, {
      access_token: grants.issueToken(grant),
      token_type: 'Bearer',
      expires_in: 300,
      scope: grant.request.scope,
      ...(scopes.includes('openid') ? { id_token: idToken(issuer, client, keys, grant) } : {}),
    });
  });
  handlers.set(`GET ${prefix}${paths.userinfo}`, ({ request, response }) => {
    const account = grants.accountOfToken(request.headers.authorization);
    if (account === undefined) json(response, 401, { error: 'invalid_token' });
    else json(response, 200, userinfo(account));
  });
}

function github(handlers: Map<string, Handler>, prefix: string, client: Client): void {
  const grants = new Grants();
  authorizePage(handlers, prefix + GITHUB_PATHS.authorize, 'GitHub', client, grants);
  // GitHub answers 200 to a refusal too, with the error in the body.
  handlers.set(`POST ${prefix}${GITHUB_PATHS.token}`, async ({ request, response }) => {
    const form = new URLSearchParams(await text(request));
    if (!isClient(client, request.headers.authorization, form)) {
      return json(response, 200, { error: 'incorrect_client_credentials' });
    }
    const grant = grants.redeem(form);
    if (grant === undefined) return json(response, 200, { error: 'bad_verification_code' });
    json(response, 200, { access_token: grants.issueToken(grant), token_type: 'bearer', scope: grant.request.scope });
  });
  for (const [path, view] of [
    [GITHUB_PATHS.user, githubUser],
    [GITHUB_PATHS.emails, githubEmails],
  ] as const) {
    handlers.set(`GET ${prefix}${path}`, ({ request, response }) => {
      const account = grants.accountOfToken(request.headers.authorization);
      if (account === undefined) json(response, 401, { message: 'Bad credentials' });
      else json(response, 200, view(account));
    });
  }
}

function authorizePage(
  handlers: Map<string, Handler>,
  path: string,
  name: string,
  client: Client,
  grants: Grants,
): void {
  handlers.set(`GET ${path}`, ({ response, url }) => {
    const asked = authorizationRequestOf(client, url.searchParams);
    if (typeof asked === 'string') html(response, 400, refusalPage(asked));
    else html(response, 200, accountPage(name));
  });
  handlers.set(`POST ${path}`, async ({ request, response, url }) => {
    const asked = authorizationRequestOf(client, url.searchParams);
    if (typeof asked === 'string') return html(response, 400, refusalPage(asked));
    const form = new URLSearchParams(await text(request));
    const account = form.get('decision') === 'deny' ? undefined : accountOf(form);
    const back = new URL(asked.redirectUri);
    if (account === undefined) back.searchParams.set('error', 'access_denied');
    else back.searchParams.set('code', grants.issueCode(asked, account));
    back.searchParams.set('state', asked.state);
    response.writeHead(303, { location: back.href }).end();
  });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function html(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(body);
}
