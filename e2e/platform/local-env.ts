import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** The checkout's root. */
export const root = path.resolve(import.meta.dirname, '..', '..');
const file = path.join(root, '.local', 'env');

const LocalEnv = z.object({
  KUBECONFIG: z.string(),
  API_URL: z.url(),
  /** Where people sign in and manage their tenants. */
  PORTAL_URL: z.url(),
  ADMIN_KEY: z.string(),
  BASE_DOMAIN: z.string(),
  /** IP address at which the ingress answers on port 443, whatever name is asked for. */
  INGRESS_ADDRESS: z.string(),
  CA_FILE: z.string(),
});

/** How to reach the platform that `make up` left running; the KEY=value lines of `.local/env`. */
export type LocalEnv = z.infer<typeof LocalEnv>;

/** Reads `.local/env`; throws with the next step when no platform is up. */
export async function readLocalEnv(): Promise<LocalEnv> {
  if (!existsSync(file)) throw new Error('.local/env is missing: run `make up` first');
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes('='));
  return LocalEnv.parse(Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2))));
}

/** Writes `.local/env`, readable by its owner alone since it holds the admin key. */
export async function writeLocalEnv(env: LocalEnv): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const lines = Object.entries(env).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 });
}

/** Forgets the platform, once it is down. */
export async function removeLocalEnv(): Promise<void> {
  await rm(file, { force: true });
}
