import type { IncomingHttpHeaders } from 'node:http';

/** Requests remembered; older ones are forgotten. */
const REMEMBERED_REQUESTS = 20_000;
/** Headers that carry a provider key: remembered by name alone. */
const SECRET_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie'];

/** How a request ended. `aborted`: the caller went away first; `cut`: a directive broke the connection. */
export type Outcome = 'open' | 'answered' | 'failed' | 'aborted' | 'cut';

/** One request as GET /_log shows it. */
export interface LoggedRequest {
  number: number;
  /** ISO 8601. */
  at: string;
  method: string;
  path: string;
  model: string | null;
  /** The bound as it arrived, whatever the provider calls it. */
  max_tokens: number | null;
  stream: boolean;
  /** Text of the last user message. */
  message: string;
  headers: Record<string, string>;
  status: number | null;
  outcome: Outcome;
  /** The same as `outcome` being `aborted`. */
  aborted: boolean;
  /** What a provider would bill when the answer was sent to its end. */
  usage: { promptTokens: number; completionTokens: number } | null;
  /** Pieces of the answer that were written. */
  chunksSent: number;
}

/** What the fake upstream was asked since it started or since the log was cleared. */
export class RequestLog {
  #entries: LoggedRequest[] = [];
  #count = 0;

  /** Remembers a request; its maker fills in the rest as it goes on. */
  add(method: string, path: string, headers: IncomingHttpHeaders): LoggedRequest {
    this.#count += 1;
    const entry: LoggedRequest = {
      number: this.#count,
      at: new Date().toISOString(),
      method,
      path,
      model: null,
      max_tokens: null,
      stream: false,
      message: '',
      headers: withoutSecrets(headers),
      status: null,
      outcome: 'open',
      aborted: false,
      usage: null,
      chunksSent: 0,
    };
    this.#entries.push(entry);
    if (this.#entries.length > REMEMBERED_REQUESTS) this.#entries.shift();
    return entry;
  }

  /** Everything remembered, the oldest first. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  clear(): void {
    this.#entries = [];
  }
}

function withoutSecrets(headers: IncomingHttpHeaders): Record<string, string> {
  const shown = Object.entries(headers).map(([name, value]) => [
    name,
    SECRET_HEADERS.includes(name) ? '(removed)' : String(value),
  ]);
  return Object.fromEntries(shown);
}
