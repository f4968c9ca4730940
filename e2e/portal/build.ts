import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder, contentKey } from '../images/cache.ts';
import { isIgnored } from '../images/recipes.ts';
import { root } from '../platform/local-env.ts';
import { run } from '../process/run.ts';

/** All that decides the built pages, beside the packages of the lock file. */
const inputs = ['package-lock.json', 'tsconfig.json', 'portal', 'control-plane/src/client'];

/** Builds the portal, unless the cache holds these very sources built already; returns the folder to serve. */
export async function buildPortal(): Promise<string> {
  const paths = inputs.map((input) => path.join(root, input));
  const key = await contentKey({ texts: [], paths, ignored: isIgnored });
  const folder = path.join(await cacheFolder('portal'), key);
  if (existsSync(folder)) return folder;
  const unfinished = await mkdtemp(path.join(await cacheFolder('portal'), 'building-'));
  const vite = path.join(root, 'node_modules', '.bin', 'vite');
  await run(vite, ['build', '--logLevel', 'warn', '--outDir', unfinished, '--emptyOutDir'], {
    cwd: path.join(root, 'portal'),
    env: { ...process.env, NODE_ENV: 'production' },
  });
  // another test may have been quicker: both are the same
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }));
  return folder;
}

if (import.meta.main) console.log(await buildPortal());
