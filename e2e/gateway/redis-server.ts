import { connect } from 'node:net';
import { ensureDebianPackages } from '../images/debian-packages.ts';
import { progress } from '../process/progress.ts';
import { freePort, type Spawned, spawnServer } from './spawned.ts';

const READY_TIMEOUT_MS = 30_000;

/** A tenant's Redis as the operator runs it: append-only file, a password. */
export interface RedisServer {
  url: string;
  /** Ends it; what it acknowledged stays in its folder. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
  /** One command over a connection of its own; replies of nested arrays are not read. */
  ask(...command: string[]): Promise<string>;
}

/** Starts Debian's redis-server with its data in `folder`. */
export async function startRedis(folder: string): Promise<RedisServer> {
  await ensureDebianPackages(['redis-server'], progress('redis'));
  const port = await freePort();
  const password = 'redis-of-the-tests';
  let running: Spawned | undefined;
  const ask = (...command: string[]) => speak(port, password, command);
  const server: RedisServer = {
    url: `redis://:${password}@127.0.0.1:${port}/0`,
    ask,
    async start() {
      running = await spawnServer('redis', {
        command: 'redis-server',
        args: ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, '--requirepass', password, ...DURABLE],
        env: process.env,
        ready: () =>
          ask('PING').then(
            (reply) => reply.includes('PONG'),
            () => false,
          ),
        readyTimeoutMs: READY_TIMEOUT_MS,
      });
    },
    async stop(signal = 'SIGTERM') {
      await running?.stop(signal);
    },
  };
  await server.start();
  return server;
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];

/** Speaks the wire protocol by hand: two commands, and everything that came back as text. */
function speak(port: number, password: string, command: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let reply = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      reply += text;
    });
    socket.on('error', reject).on('close', () => resolve(reply));
    socket.end([['AUTH', password], command, ['QUIT']].map(encode).join(''));
  });
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
