import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What a gate does to connections. `open`: passes both ways; `refuse`: ends them at once, as when nothing listens;
 * `deaf`: passes what is asked and swallows every answer, so that the caller cannot know what became of it.
 */
export type GateMode = 'open' | 'refuse' | 'deaf';

/** A TCP proxy on loopback that can play an outage of the server behind it. */
export interface Gate {
  url: string;
  /** Changes what happens from now on; connections that are open are broken, so that every caller notices. */
  set(mode: GateMode): void;
  close(): Promise<void>;
}

/** Opens a gate in front of the HTTP server at `target`. */
export async function openGate(target: string): Promise<Gate> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let mode: GateMode = 'open';
  const server: Server = createServer((inside) => {
    if (mode === 'refuse') return void inside.destroy();
    const outside = connect(Number(port), hostname);
    const deaf = mode === 'deaf';
    for (const [socket, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
    }
    inside.pipe(outside);
    if (deaf) outside.on('data', () => inside.destroy());
    else outside.pipe(inside);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(wanted) {
      mode = wanted;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
