import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import helmet from 'helmet';
import { type Pipeline, serve } from './pipeline.ts';
import { problem } from './problem.ts';
import type { Route } from './route.ts';

/** Bytes of an address and headers together: the longest legitimate ones bring a provider's answer, percent-encoded. */
const MAX_HEAD_BYTES = 32 * 1024;
/** Milliseconds within which a request's head and body must have arrived. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than a load balancer keeps an idle connection, so that it is never we who close one it is about to use. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Milliseconds that requests under way get at shutdown. */
const DRAIN_TIMEOUT_MS = 10_000;

/** Whatever answers without being an operation of the API. */
export type Mount = {
  /** A path such as /oidc; it and all below it are handed over. */
  readonly prefix: string;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
};

/** What is served beside the API. */
export type Beside = {
  readonly mounts: readonly Mount[];
  /** Asked when no operation has the address: the portal's pages. It calls `next` when it has nothing either. */
  readonly pages: ((request: IncomingMessage, response: ServerResponse, next: () => void) => void) | undefined;
};

export type HttpServer = { readonly url: string; readonly port: number; readonly close: () => Promise<void> };

/** Listens. The gateway's routes are looked up by their exact URL before express: they are the hot path. */
export async function listen(
  pipeline: Pipeline,
  routes: readonly Route[],
  beside: Beside,
  where: { host: string; port: number },
): Promise<HttpServer> {
  const hot = new Map(routes.filter(({ access }) => access === 'gateway').map((route) => [route.path, route]));
  const app = expressApp(pipeline, routes, beside.pages);
  const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    const url = request.url ?? '';
    const route = request.method === 'POST' ? hot.get(url) : undefined;
    if (route !== undefined) {
      void serve(pipeline, route, {}, request, response);
      return;
    }
    const mount = beside.mounts.find(({ prefix }) => isBelow(url, prefix));
    if (mount === undefined) app(request, response);
    else mount.handle(request, response);
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where.port, where.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = where.host === '0.0.0.0' || where.host === '::' ? '127.0.0.1' : where.host;
  return { url: `http://${host}:${port}`, port, close: () => close(server) };
}

function isBelow(url: string, prefix: string): boolean {
  return url.startsWith(prefix) && ['', '/', '?'].includes(url.charAt(prefix.length));
}

/** Addresses without a parameter come before those that would swallow them: /members/me before /members/{person}. */
function byPrecision(one: string, other: string): number {
  const weight = (path: string) => path.replaceAll(/\{\w+\}/g, '\u{10ffff}');
  return weight(one) < weight(other) ? -1 : 1;
}

function expressApp(pipeline: Pipeline, routes: readonly Route[], pages: Beside['pages']): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('case sensitive routing', true);
  app.use(helmet());
  const methodsByPath = Map.groupBy(routes, ({ path }) => path);
  for (const [path, group] of [...methodsByPath].sort(([one], [other]) => byPrecision(one, other))) {
    const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1');
    for (const route of group) {
      app[route.method](pattern, (request, response) => serve(pipeline, route, request.params, request, response));
    }
    const allow = group.map(({ method }) => method.toUpperCase()).join(', ');
    app.all(pattern, (_request, response) => {
      const body = problem(405, 'method_not_allowed', `this address answers ${allow}`);
      response.status(405).set('allow', allow).type('application/problem+json').send(JSON.stringify(body));
    });
  }
  if (pages !== undefined) app.use(pages);
  app.use((_request, response) => {
    const body = problem(404, 'no_such_address', 'there is nothing at this address; GET /openapi.json lists all');
    response.status(404).type('application/problem+json').send(JSON.stringify(body));
  });
  const onError: express.ErrorRequestHandler = (error, _request, response, _next) => {
    const status = error instanceof URIError ? 400 : 500;
    if (status === 500) pipeline.services.log.error({ err: error }, 'express failed');
    const body = problem(status, status === 400 ? 'malformed_address' : 'internal', 'the address is not well-formed');
    response.status(status).type('application/problem+json').send(JSON.stringify(body));
  };
  app.use(onError);
  return app;
}

/** Takes no new connection, lets requests under way finish, then ends what is left. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}
