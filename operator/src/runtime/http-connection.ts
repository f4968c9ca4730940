import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import type { ClusterAccess, Credentials } from './cluster-access.ts';
import { KubeError } from './kube-error.ts';
import { kubeErrorOf } from './status-answer.ts';

/** Milliseconds one request may take, from asking for a connection to the last byte. A watch is bound until its headers. */
export const REQUEST_DEADLINE_MS = 30_000;
/** Milliseconds until credentials are read again; a 401 reads them at once. */
export const CREDENTIALS_MAX_AGE_MS = 30_000;
/** Connections for ordinary requests; more wait for one. */
export const MAX_REQUEST_CONNECTIONS = 16;
/** Bytes of an ordinary answer. A page of 500 objects is a few megabytes. */
export const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
/** Milliseconds an unused connection is kept; a handshake costs more than the answer. */
const IDLE_CONNECTION_MS = 60_000;
/** Milliseconds of silence after which the kernel begins to probe a connection. */
const TCP_KEEP_ALIVE_MS = 15_000;

/** One request. `path` begins with a slash and carries the query. */
export interface HttpRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  accept?: string;
  contentType?: string;
  body?: string;
}

/** What a connection is made with. */
export interface HttpConnectionOptions {
  access: ClusterAccess;
  userAgent: string;
  requestDeadlineMs?: number;
}

/** Dispatchers that share one set of TLS credentials. */
interface Transport {
  fingerprint: string;
  headers: Record<string, string>;
  readAt: number;
  requests: Agent;
  watches: Agent;
}

/**
 * HTTP to the API server: credentials, deadlines, errors. HTTP/1.1 on purpose: each watch has a connection of its own,
 * so one that hangs hurts only itself. No retries here: whoever asks knows whether asking again is right.
 */
export class HttpConnection {
  readonly #options: HttpConnectionOptions;
  #transport: Transport | undefined;
  #renewing: Promise<Transport> | undefined;

  constructor(options: HttpConnectionOptions) {
    this.#options = options;
  }

  /** Sends a request and reads the whole JSON answer. Any status but 2xx throws a `KubeError`. */
  async json(request: HttpRequest, signal?: AbortSignal): Promise<unknown> {
    const deadlineMs = this.#options.requestDeadlineMs ?? REQUEST_DEADLINE_MS;
    return withDeadline(deadlineMs, signal, async (bound) => {
      const body = await this.#send(request, 'requests', bound);
      const text = await readText(body);
      try {
        return JSON.parse(text) as unknown;
      } catch (cause) {
        throw new KubeError({ status: 0, reason: 'MalformedAnswer', message: 'the answer is not JSON', cause });
      }
    });
  }

  /** Sends a request and hands its body over as it comes. `signal` ends the stream; the deadline ends with the headers. */
  async stream(request: HttpRequest, signal: AbortSignal): Promise<Readable> {
    const ended = new AbortController();
    const end = () => ended.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const deadlineMs = this.#options.requestDeadlineMs ?? REQUEST_DEADLINE_MS;
    const timer = setTimeout(() => ended.abort(deadlineExceeded(deadlineMs)), deadlineMs);
    try {
      const body = await this.#send(request, 'watches', ended.signal);
      body.once('close', () => signal.removeEventListener('abort', end));
      return body;
    } catch (error) {
      signal.removeEventListener('abort', end);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends every connection, whatever runs on it. */
  async close(): Promise<void> {
    const transport = this.#transport;
    this.#transport = undefined;
    await Promise.all([transport?.requests.destroy(), transport?.watches.destroy()]);
  }

  async #send(request: HttpRequest, kind: 'requests' | 'watches', signal: AbortSignal): Promise<Readable> {
    const transport = await this.#ready();
    const { method, path, accept, contentType, body } = request;
    const answer = await transport[kind]
      .request({
        origin: this.#options.access.server,
        method,
        path,
        headers: {
          accept: accept ?? 'application/json',
          'user-agent': this.#options.userAgent,
          ...(contentType && { 'content-type': contentType }),
          ...transport.headers,
        },
        body: body ?? null,
        signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      .catch((cause: unknown) => {
        throw unreachable(cause, signal);
      });
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer.body;
    if (answer.statusCode === 401) transport.readAt = 0;
    throw kubeErrorOf(answer.statusCode, answer.headers, await readText(answer.body).catch(() => ''));
  }

  /** The transport for the present credentials; a rotation lets the former one finish what runs on it. */
  async #ready(): Promise<Transport> {
    const current = this.#transport;
    if (current !== undefined && Date.now() - current.readAt < CREDENTIALS_MAX_AGE_MS) return current;
    this.#renewing ??= this.#renew(current).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(current: Transport | undefined): Promise<Transport> {
    const { headers, tls } = await this.#options.access.credentials();
    const print = fingerprint(tls);
    if (current?.fingerprint === print) return Object.assign(current, { headers, readAt: Date.now() });
    if (current !== undefined) void Promise.allSettled([current.requests.close(), current.watches.close()]);
    const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
    const shared = { connect, allowH2: false, pipelining: 1 };
    const idle = { keepAliveTimeout: IDLE_CONNECTION_MS, keepAliveMaxTimeout: IDLE_CONNECTION_MS };
    this.#transport = {
      fingerprint: print,
      headers,
      readAt: Date.now(),
      requests: new Agent({ ...shared, ...idle, connections: MAX_REQUEST_CONNECTIONS }),
      watches: new Agent(shared),
    };
    return this.#transport;
  }
}

/** Runs `work` under a signal that aborts with `signal` or after `deadlineMs`, and leaves no listener behind. */
async function withDeadline<T>(
  deadlineMs: number,
  signal: AbortSignal | undefined,
  work: (bound: AbortSignal) => Promise<T>,
): Promise<T> {
  const bound = new AbortController();
  const abort = () => bound.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  const timer = setTimeout(() => bound.abort(deadlineExceeded(deadlineMs)), deadlineMs);
  try {
    return await work(bound.signal);
  } catch (error) {
    throw error instanceof KubeError ? error : unreachable(error, bound.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES)
      throw new KubeError({ status: 0, reason: 'AnswerTooLarge', message: `more than ${MAX_ANSWER_BYTES} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What became of a request that got no answer: the reason it was aborted for, or that nobody could be reached. */
export function unreachable(cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const message = `no answer from the API server: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new KubeError({ status: 0, reason: 'Unreachable', message, cause });
}

function deadlineExceeded(deadlineMs: number): KubeError {
  const message = `the API server did not answer within ${deadlineMs} ms`;
  return new KubeError({ status: 0, reason: 'DeadlineExceeded', message });
}

/** Tells one set of TLS credentials from another without keeping it. */
function fingerprint(tls: Credentials['tls']): string {
  return createHash('sha256').update(JSON.stringify(tls)).digest('hex');
}
