import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { answers, freePort, type Spawned, spawnServer } from './spawned.ts';

/** The embedded Postgres is made at the first start. */
const READY_TIMEOUT_MS = 120_000;
const MAIN = path.resolve(import.meta.dirname, '../../control-plane/src/main.ts');

/** A running control plane and its admin's way in. */
export interface ControlPlane {
  url: string;
  process: Spawned;
  /** Everything it counts, as Prometheus reads it. */
  metrics(): Promise<string>;
  /** One call of its API with the admin key. */
  api<Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer<Body>>;
}

/** Status and parsed body, as the shared steps expect them. */
export interface ApiAnswer<Body> {
  status: number;
  body: Body;
  headers: Headers;
}

/** Starts the real control plane with its embedded database in `folder`. */
export async function startControlPlane(folder: string): Promise<ControlPlane> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const data = path.join(folder, 'control-plane');
  // run by root, the embedded Postgres gives root up and must still reach its folder
  await mkdir(data, { mode: 0o755 });
  const adminKey = 'admin-key-of-the-gateway-tests';
  const running = await spawnServer('control plane', {
    command: process.execPath,
    args: [MAIN],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      HOST: '127.0.0.1',
      PORT: `${port}`,
      DATA_DIR: data,
      ADMIN_KEY: adminKey,
      ENCRYPTION_KEY: 'encryption-key-of-the-gateway-tests',
      OPERATOR_KEY: 'operator-key-of-the-gateway-tests',
      BASE_DOMAIN: 'cloudfreedom.test',
      LOG_LEVEL: 'warn',
    },
    ready: () => answers(`${url}/readyz`),
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  return {
    url,
    process: running,
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    async api(method, route, body, headers = {}) {
      const answer = await fetch(`${url}${route}`, {
        method,
        headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return {
        status: answer.status,
        body: text === '' ? undefined : JSON.parse(text),
        headers: answer.headers,
      } as never;
    },
  };
}
