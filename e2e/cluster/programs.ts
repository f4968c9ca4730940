import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder, contentKey } from '../images/cache.ts';
import { run } from '../process/run.ts';

const source = path.join(import.meta.dirname, 'programs');

/** Folder of the rig's own small static programs (`pause`, `volume-helper`, `forwarder`), built where the cache has none. */
export async function programsFolder(): Promise<string> {
  const { stdout: compiler } = await run('go', ['env', 'GOVERSION', 'GOARCH']);
  const folder = path.join(await cacheFolder('programs'), await contentKey({ texts: [compiler], paths: [source] }));
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  await run('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', `${draft}/`, './...'], {
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  await moveIntoCache(draft, folder);
  return folder;
}

/** Gives a finished result its name in the cache; when another process was quicker, its equal result stays. */
export async function moveIntoCache(draft: string, final: string): Promise<void> {
  if (existsSync(final)) await rm(draft, { recursive: true, force: true });
  else await rename(draft, final);
}
