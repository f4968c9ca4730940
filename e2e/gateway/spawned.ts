import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { until } from '../process/until.ts';

/** Characters of a child's output that are kept for a failure message. */
const KEPT_OUTPUT = 200_000;
/** Characters of it that a failure message quotes. */
const QUOTED_OUTPUT = 4_000;
/** Milliseconds a killed child may take to be gone. */
const GONE_TIMEOUT_MS = 60_000;

/** A server that runs as a child of the tests; it dies with them. */
export interface Spawned {
  readonly pid: number;
  /** What it printed, the tail of it. */
  output(): string;
  /** Sends `signal` (default SIGTERM) and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  exited(): boolean;
}

export interface SpawnedOptions {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** Whether it answers yet. */
  ready: () => Promise<boolean>;
  readyTimeoutMs: number;
}

/** Starts a server and waits until it is ready; throws with its output when it ends before. */
export async function spawnServer(what: string, options: SpawnedOptions): Promise<Spawned> {
  // a run that is broken off must leave no server behind
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', options.command, ...options.args], {
    env: options.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const spawned = attach(child);
  try {
    const found = await until(
      `${what} to be ready`,
      async () => (spawned.exited() ? 'ended' : (await options.ready()) ? 'ready' : undefined),
      { timeoutMs: options.readyTimeoutMs, intervalMs: 250 },
    );
    if (found === 'ended') throw new Error('it ended');
  } catch (cause) {
    await spawned.stop('SIGKILL');
    throw new Error(`${what} did not start:\n${spawned.output().slice(-QUOTED_OUTPUT)}`, { cause });
  }
  return spawned;
}

function attach(child: ChildProcess): Spawned {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
    });
  }
  const exited = () => child.exitCode !== null || child.signalCode !== null;
  child.on('error', (error) => {
    output += String(error);
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    async stop(signal = 'SIGTERM') {
      if (!exited()) child.kill(signal);
      await until(`process ${child.pid} to end`, () => exited() || undefined, { timeoutMs: GONE_TIMEOUT_MS });
    },
  };
}

/** Whether a GET of `url` is answered with 200. */
export async function answers(url: string): Promise<boolean> {
  return await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status === 200;
    },
    () => false,
  );
}

/** A port of 127.0.0.1 that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
