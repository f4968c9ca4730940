/**
 * A virtual environment on this machine with exactly the packages of a lock, an image's or a client's, for tests that
 * run the real program without a cluster. Cached by the lock's content.
 *
 *   node e2e/images/python-env.ts      prints the folder of LiteLLM's `python` and `litellm`
 */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { progress, type Say } from '../process/progress.ts';
import { run } from '../process/run.ts';
import { cacheFolder, contentKey } from './cache.ts';
import { ensureDebianPackages } from './debian-packages.ts';

/** Debian's own Python, the one the images hold; the locks are resolved for it. */
const PYTHON = '/usr/bin/python3';
/** Environments kept per image, the newest; each takes about 700 MB. */
const KEPT_ENVIRONMENTS = 2;

/** What there is a lock of, in a folder beside this file. */
export type LockedPython = 'litellm' | 'openai-client' | 'oidc-client' | 'schemathesis' | 'chat-data';

/** The `bin` folder of the environment for `image`'s lock; made when the cache has none, which for LiteLLM takes minutes. */
export async function pythonEnvironment(image: LockedPython, say: Say): Promise<string> {
  const lock = path.join(import.meta.dirname, image, 'requirements.lock');
  const { stdout: version } = await run(PYTHON, ['--version']);
  const key = await contentKey({ texts: [version], paths: [lock] });
  const parent = await cacheFolder('python');
  const home = path.join(parent, `${image}-${key}`);
  const complete = path.join(home, 'complete');
  if (existsSync(complete)) return path.join(home, 'bin');

  await ensureDebianPackages(['python3-venv', 'python3-pip'], say);
  // two makers must not share a folder; whoever is first keeps the name, as scripts hold absolute paths
  await run('flock', [`${home}.lock`, process.execPath, import.meta.filename, '--make', home, lock], {
    onLine: (line) => say(line),
  });
  await dropOld(parent, image, home);
  return path.join(home, 'bin');
}

/** Makes the environment at `home`; runs under the lock. */
async function make(home: string, lock: string): Promise<void> {
  if (existsSync(path.join(home, 'complete'))) return;
  if (existsSync(home)) {
    const aside = `${home}.broken-${process.pid}`;
    await rename(home, aside);
    await rm(aside, { recursive: true });
  }
  console.error(`making a virtual environment of ${path.basename(path.dirname(lock))}`);
  await run(PYTHON, ['-m', 'venv', home]);
  const pip = ['-m', 'pip', 'install', '--no-deps', '--no-compile', '--require-hashes', '--only-binary', ':all:'];
  await run(path.join(home, 'bin', 'python'), [...pip, '--quiet', '-r', lock]);
  console.error('compiling');
  // a few packages carry files for other Pythons; their failing to compile is no failure
  await run(path.join(home, 'bin', 'python'), [
    '-m',
    'compileall',
    '-q',
    '-q',
    '-j',
    '0',
    path.join(home, 'lib'),
  ]).catch(() => undefined);
  await writeFile(path.join(home, 'complete'), '');
}

async function dropOld(parent: string, image: string, current: string): Promise<void> {
  const homes = [];
  for (const name of await readdir(parent)) {
    const home = path.join(parent, name);
    if (!name.startsWith(`${image}-`) || name.endsWith('.lock') || home === current) continue;
    homes.push({ home, made: (await stat(home)).mtimeMs });
  }
  homes.sort((a, b) => b.made - a.made);
  for (const { home } of homes.slice(KEPT_ENVIRONMENTS - 1)) await rm(home, { recursive: true, force: true });
}

if (import.meta.main) {
  const [first, home, lock] = process.argv.slice(2);
  if (first === '--make' && home && lock) await make(home, lock);
  else console.log(await pythonEnvironment('litellm', progress('python')));
}
