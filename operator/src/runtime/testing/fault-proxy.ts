import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '../cluster-access.ts';

/** What the proxy does to one request instead of passing it on. */
export type Fault =
  | { answer: number; headers?: Record<string, string>; body?: string }
  /** Closes the connection without a word. */
  | 'cut'
  /** Takes the request and never answers. */
  | 'hang';

/** A request as it arrived. */
export interface Seen {
  method: string;
  path: string;
  watch: boolean;
  query: URLSearchParams;
}

/** An open watch: its client's end, and whether what the server says still reaches it. */
interface OpenWatch {
  response: ServerResponse;
  frozen: boolean;
}

/**
 * A proxy in front of a real API server that misbehaves on demand: refusals, cut and half-open connections, lines that
 * cannot be read. Plain HTTP on loopback towards the client; towards the server it uses `upstream`'s credentials.
 */
export class FaultProxy {
  readonly seen: Seen[] = [];
  readonly #faults: { when: (seen: Seen) => boolean; fault: Fault; times: number }[] = [];
  readonly #watches = new Set<OpenWatch>();
  readonly #upstream: ClusterAccess;
  readonly #server = createServer((incoming, response) => void this.#serve(incoming, response));
  /** Whether a watch line may pass; `false` makes the client miss it. */
  passLine: (line: string) => boolean = () => true;

  constructor(upstream: ClusterAccess) {
    this.#upstream = upstream;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** How a client reaches the API server through the proxy. */
  get access(): ClusterAccess {
    const { port } = this.#server.address() as AddressInfo;
    return { server: `http://127.0.0.1:${port}`, credentials: async () => ({ headers: {}, tls: {} }) };
  }

  /** Watches open now. */
  get openWatches(): number {
    return this.#watches.size;
  }

  /** Answers the next `times` requests that `when` picks with `fault`. */
  fail(when: (seen: Seen) => boolean, fault: Fault, times = 1): void {
    this.#faults.push({ when, fault, times });
  }

  /** Says `line` in every open watch. */
  say(line: string): void {
    for (const { response } of this.#watches) response.write(`${line}\n`);
  }

  /** Breaks the connection of every open watch, in the middle of a line. */
  cutWatches(): void {
    for (const { response } of this.#watches) {
      response.write('{"type":"MODIFIED","obj');
      setImmediate(() => response.destroy());
    }
  }

  /** Makes every open watch half-open: it stays connected, and nothing comes any more. */
  freezeWatches(): void {
    for (const watch of this.#watches) watch.frozen = true;
  }

  /** Counts requests with `method`, reads and writes alike. */
  count(method: string): number {
    return this.seen.filter((seen) => seen.method === method).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://proxy');
    const { method = 'GET' } = incoming;
    const seen = { method, path: url.pathname, query: url.searchParams, watch: url.searchParams.has('watch') };
    this.seen.push(seen);
    const planned = this.#faults.find(({ when, times }) => times > 0 && when(seen));
    if (planned === undefined) return this.#pass(incoming, response, seen.watch);
    planned.times--;
    if (planned.fault === 'hang') return;
    if (planned.fault === 'cut') {
      incoming.socket.destroy();
      return;
    }
    response.writeHead(planned.fault.answer, planned.fault.headers);
    response.end(planned.fault.body);
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse, watch: boolean): Promise<void> {
    const { headers, tls } = await this.#upstream.credentials();
    const { host: _, authorization: _a, ...passed } = incoming.headers;
    const options: RequestOptions = { ...tls, method: incoming.method ?? 'GET', headers: { ...passed, ...headers } };
    const upstream = request(`${this.#upstream.server}${incoming.url}`, options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (watch && answer.statusCode === 200) this.#passLines(answer, response);
      else answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  #passLines(answer: IncomingMessage, response: ServerResponse): void {
    const watch: OpenWatch = { response, frozen: false };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    response.flushHeaders();
    let rest = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (!watch.frozen && this.passLine(line)) response.write(`${line}\n`);
    });
    answer.on('end', () => {
      if (!watch.frozen) response.end();
    });
    answer.on('error', () => response.destroy());
  }
}
