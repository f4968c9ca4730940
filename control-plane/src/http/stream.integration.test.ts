import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { sendStream, signalOf } from './stream.ts';

const PIECE = 'x'.repeat(65_536);
/** What the buffers of both ends of a loopback connection may hold. */
const MAX_BUFFERED_PIECES = 300;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers every request with what `source` makes. */
async function serve(source: (signal: AbortSignal) => AsyncIterable<string>): Promise<number> {
  const log = pino({ level: 'silent' });
  const never = new AbortController().signal;
  server = createServer((_request, response) => {
    const answer = { status: 200, headers: { 'content-type': 'text/plain' } };
    void sendStream(response, answer, source(signalOf(response, never)), 'request-1', log);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('a reader that does not read is waited for, and its going away ends the source', async () => {
  let made = 0;
  let ended = false;
  const port = await serve(async function* () {
    try {
      for (;;) {
        made += 1;
        yield PIECE;
      }
    } finally {
      ended = true;
    }
  });
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  let earlier = -1;
  const stands = () => {
    const still = made > 0 && made === earlier;
    earlier = made;
    return still;
  };
  await expect.poll(stands, { interval: 100, timeout: 10_000 }).toBe(true);
  expect(made).toBeLessThan(MAX_BUFFERED_PIECES);
  socket.destroy();
  await expect.poll(() => ended).toBe(true);
});

test('a source that fails half-way cuts the connection: the body does not look complete', async () => {
  const port = await serve(async function* () {
    yield 'the first half';
    throw new Error('the database is away');
  });
  const response = await fetch(`http://127.0.0.1:${port}/`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
});

test('a source hears that its reader has gone, also while it waits', async () => {
  let heard = false;
  const port = await serve(async function* (signal) {
    yield 'hello';
    await once(signal, 'abort');
    heard = true;
  });
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: abort.signal });
  expect(response.status).toBe(200);
  abort.abort();
  await expect.poll(() => heard).toBe(true);
});

test('HEAD gets the head alone', async () => {
  const port = await serve(async function* () {
    yield PIECE;
  });
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' });
  expect(await response.text()).toBe('');
});
