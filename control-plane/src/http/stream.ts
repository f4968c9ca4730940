import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Answer } from './route.ts';

/** Milliseconds a caller may leave a stream unread before it is cut: what it holds back is held in our memory. */
const UNREAD_TIMEOUT_MS = 30_000;

export function isStream(body: unknown): body is AsyncIterable<string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** Aborted when the caller's connection ends, or with `shutdown`. */
export function signalOf(response: ServerResponse, shutdown: AbortSignal): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, shutdown]);
}

/**
 * Sends the pieces as they come, never more than the connection's own buffer ahead of the reader. A source that fails
 * half-way cuts the connection: an incomplete body must not look complete.
 */
export async function sendStream(
  response: ServerResponse,
  answer: Answer,
  pieces: AsyncIterable<string>,
  requestId: string,
  log: Logger,
): Promise<void> {
  response.writeHead(answer.status, {
    'x-request-id': requestId,
    'cache-control': 'no-store, no-transform',
    'x-content-type-options': 'nosniff',
    // Proxies that collect answers before they pass them on leave this one alone.
    'x-accel-buffering': 'no',
    // A stream's end is the end of its connection: a client that has gone away is noticed at once.
    connection: 'close',
    ...answer.headers,
  });
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return;
      if (!response.write(piece)) {
        const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(UNREAD_TIMEOUT_MS)]);
        await once(response, 'drain', { signal });
      }
    }
    response.end();
  } catch (err) {
    if (!response.destroyed) log.warn({ err, requestId }, 'a stream was cut');
    response.destroy();
  }
}
