import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ADMIN_KEY, ENCRYPTION_KEY, OPERATOR_KEY } from '../testing/api.ts';

const MAIN = join(import.meta.dirname, '../main.ts');
const START_TIMEOUT_MS = 60_000;
const LISTENING = 'the control plane is listening';

/** One replica in a process of its own, so that it can be killed like one. */
export class ControlPlaneProcess {
  readonly #databaseUrl: string;
  #child: ChildProcess | undefined;
  #url: string | undefined;

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  /** Where it listens; undefined while it does not. */
  get url(): string | undefined {
    return this.#url;
  }

  /** Resolves when it listens, on a port of its own choice. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN], {
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        DATABASE_URL: this.#databaseUrl,
        ADMIN_KEY,
        ENCRYPTION_KEY,
        OPERATOR_KEY,
        LOG_LEVEL: 'info',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the control plane did not start in time')), START_TIMEOUT_MS);
      child.on('exit', (code) => reject(new Error(`the control plane ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const said: { msg?: string; port?: number } = JSON.parse(line);
        if (said.msg !== LISTENING || said.port === undefined) return;
        clearTimeout(timer);
        resolve(said.port);
      });
    });
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** SIGTERM, as a cluster ends a pod. @returns its exit code, once it has ended */
  async end(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = await ended;
    this.#url = undefined;
    return code;
  }

  /** SIGKILL: it gets no chance to finish anything. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#url = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
