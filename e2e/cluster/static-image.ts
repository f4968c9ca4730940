import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import path from 'node:path';
import { cacheFolder, contentKey } from '../images/cache.ts';
import { run } from '../process/run.ts';
import { moveIntoCache } from './programs.ts';

/** Nobody in particular: the user of images whose program needs no rights. */
const UNPRIVILEGED_USER = '65532:65532';
const EXECUTABLE_MODE = '0755';
/** Nothing in an archive may differ from run to run, its dates included. */
const EPOCH = '1970-01-01T00:00:00Z';
/** Node's names of processors that Go and container images name otherwise. */
const IMAGE_ARCHITECTURE: Record<string, string> = { x64: 'amd64' };

/** An image in a file: import it anywhere, then run it under its name. */
export interface ImageArchive {
  /** `localhost/cloudfreedom/<image>:<hash of the contents>` */
  reference: string;
  /** A docker-archive: a path. */
  archive: string;
}

/** An image that holds static programs in its root folder and nothing else. The first program is its entry. */
export interface StaticImage {
  image: string;
  programs: readonly [string, ...string[]];
  /** `user:group`, in numbers. */
  user?: string;
}

/**
 * The archive of an image of static programs, from the cache where it has been made before. It is written here by hand:
 * one layer and two small JSON files need neither an image builder nor its storage nor its privileges.
 */
export async function staticImage({ image, programs, user = UNPRIVILEGED_USER }: StaticImage): Promise<ImageArchive> {
  const key = await contentKey({ texts: [image, user, arch()], paths: programs });
  const reference = `localhost/cloudfreedom/${image}:${key}`;
  const folder = await cacheFolder('static-images');
  const archive = path.join(folder, `${image}-${key}.tar`);
  if (existsSync(archive)) return { reference, archive };
  const draft = await mkdtemp(path.join(folder, '.draft-'));
  try {
    const configuration = {
      architecture: IMAGE_ARCHITECTURE[arch()] ?? arch(),
      os: 'linux',
      created: EPOCH,
      config: { User: user, Entrypoint: [`/${path.basename(programs[0])}`], WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${await writeLayer(draft, programs)}`] },
      history: [{ created: EPOCH, comment: 'static programs' }],
    };
    const manifest = [{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }];
    await writeFile(path.join(draft, 'config.json'), JSON.stringify(configuration));
    await writeFile(path.join(draft, 'manifest.json'), JSON.stringify(manifest));
    const partial = path.join(draft, 'archive.tar');
    await tar(partial, draft, ['manifest.json', 'config.json', 'layer.tar']);
    await moveIntoCache(partial, archive);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { reference, archive };
}

/** Writes `layer.tar` and returns its SHA-256. */
async function writeLayer(draft: string, programs: readonly string[]): Promise<string> {
  const root = path.join(draft, 'root');
  const layer = path.join(draft, 'layer.tar');
  await mkdir(root);
  for (const program of programs) await copyFile(program, path.join(root, path.basename(program)));
  await tar(layer, root, programs.map((program) => path.basename(program)).sort());
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(layer)) hash.update(chunk);
  return hash.digest('hex');
}

async function tar(archive: string, folder: string, names: string[]): Promise<void> {
  const plain = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', `--mode=${EXECUTABLE_MODE}`];
  await run('tar', ['--format=ustar', ...plain, '-cf', archive, '-C', folder, ...names]);
}
