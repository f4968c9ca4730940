import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** Milliseconds a client may take to send its request. */
const REQUEST_TIMEOUT_MS = 5_000;

/** What stands in the way; empty when all is well. Sentences for whoever reads the probe's answer. */
export type Check = () => readonly string[];

/** What the health server tells, and where. */
export interface HealthServerOptions {
  registry: Registry;
  /** Asked at `/healthz`: should this process be restarted? */
  live: Check;
  /** Asked at `/readyz`: does it do its work? */
  ready: Check;
  host: string;
  /** 0 takes a free one. */
  port: number;
}

/** A running health server. */
export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** Serves `/healthz`, `/readyz` and `/metrics`. Rejects when the port is taken. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { registry, live, ready, host, port } = options;
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET\n');
    const { pathname } = new URL(request.url ?? '/', 'http://health');
    if (pathname === '/healthz') return answerCheck(response, live());
    if (pathname === '/readyz') return answerCheck(response, ready());
    if (pathname !== '/metrics') return answer(response, 404, 'there are /healthz, /readyz and /metrics\n');
    registry.metrics().then(
      (text) => answer(response, 200, text, registry.contentType),
      (error: unknown) => answer(response, 500, `${String(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerCheck(response: ServerResponse, problems: readonly string[]): void {
  if (problems.length === 0) answer(response, 200, 'ok\n');
  else answer(response, 503, `${problems.join('\n')}\n`);
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': contentType });
  response.end(text);
}
