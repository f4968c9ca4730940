import { ApiProblem, problemOf } from './client.ts';
import { EventParser } from './event-parser.ts';

/** Milliseconds of silence after which the connection counts as dead: three heartbeats of the server. */
const SILENCE_MS = 45_000;
/** Milliseconds before connecting anew, until the server says otherwise. */
const RETRY_MS = 2_000;
const MAX_RETRY_MS = 30_000;

/** What happened to a tenant. The types and their fields are listed at GET /v1/tenants/{tenant}/events. */
export type TenantEvent = {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>> & { readonly at: string };
};

export type FollowOptions = {
  readonly tenant: string;
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** Only these types, or families as in `member.*`. Absent: all. */
  readonly types?: readonly string[];
  /** The id of the last event the caller has; '0': all there are. Absent: from now on. */
  readonly after?: string;
  readonly baseUrl?: string;
  readonly token?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Hears of each lost connection, and of each new one. */
  readonly onConnection?: (connected: boolean) => void;
  readonly retryMs?: number;
};

/**
 * A tenant's events as they happen, until `signal` is aborted. A lost connection is made anew and goes on where it
 * ended, so none is missed or given twice.
 * @throws ApiProblem when the API refuses for a reason that waiting does not change (401, 403, 404, 422)
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<TenantEvent> {
  const { signal } = options;
  let lastId: string | undefined;
  let failures = 0;
  let retryMs = options.retryMs ?? RETRY_MS;
  while (!signal.aborted) {
    const parser = new EventParser();
    try {
      for await (const piece of pieces(options, lastId)) {
        failures = 0;
        for (const { id, type, data } of parser.push(piece)) {
          lastId = id;
          yield { id, type, data: JSON.parse(data) };
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiProblem && isFinal(error.problem.status)) throw error;
    }
    if (signal.aborted) return;
    options.onConnection?.(false);
    retryMs = options.retryMs ?? parser.retryMs ?? retryMs;
    await pause(Math.min(MAX_RETRY_MS, retryMs * 2 ** failures), signal);
    failures += 1;
  }
}

/** The text of one connection, as it comes. */
async function* pieces(options: FollowOptions, lastId: string | undefined): AsyncGenerator<string> {
  const { signal, token, types, after } = options;
  const silence = new AbortController();
  const query = new URLSearchParams();
  if (types !== undefined) query.set('types', types.join(','));
  if (after !== undefined) query.set('after', after);
  const address = `${options.baseUrl ?? ''}/v1/tenants/${encodeURIComponent(options.tenant)}/events?${query}`;
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await (options.fetch ?? globalThis.fetch)(address, {
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        accept: 'text/event-stream',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
      },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok) throw new ApiProblem(problemOf(await response.json().catch(() => undefined), response.status));
    options.onConnection?.(true);
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (let read = await reader?.read(); read !== undefined && !read.done; read = await reader?.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      yield decoder.decode(read.value, { stream: true });
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 429 && status !== 408;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
