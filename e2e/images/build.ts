/**
 * Builds the container images and keeps them as archives in the cache.
 *
 *   node e2e/images/build.ts [name …]        all when none is named; prints `name reference archive`, one per line
 *
 * An image's tag is the key of everything that decides it, so a second run has nothing to do and a changed source
 * rebuilds only what holds it. The packages of Debian are those of the day of the build. Where a Docker engine answers,
 * `docker build` works from the same Containerfiles; else buildah does, as root, on a Debian made by debootstrap.
 */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { progress, type Say } from '../process/progress.ts';
import { run } from '../process/run.ts';
import { type Bases, baseReferences, ensureBases } from './bases.ts';
import { cacheFolder, contentKey } from './cache.ts';
import { ensureDebianPackages } from './debian-packages.ts';
import { chooseEngine, type Engine } from './engine.ts';
import { type ImageName, imageNames, isIgnored, recipes } from './recipes.ts';
import { registrySecrets } from './registry-secrets.ts';

/** Archives kept per image, the newest. */
const KEPT_ARCHIVES = 2;
/** Images built at a time: downloads of one go on while the other compiles. */
const PARALLEL_BUILDS = 2;

/** A built image. */
export interface BuiltImage {
  name: ImageName;
  /** `localhost/cloudfreedom/<name>:<key>`. */
  reference: string;
  /** The file that `ctr images import` and `docker load` read. */
  archive: string;
}

/** Builds those of `names` whose archive the cache does not hold, and says where all of them are. */
export async function buildImages(names: readonly ImageName[], say: Say): Promise<BuiltImage[]> {
  const engine = await chooseEngine();
  const bases = await baseReferences(engine);
  let images = await Promise.all(names.map((name) => planned(name, bases)));
  const missing = images.filter((image) => !existsSync(image.archive));
  if (missing.length > 0) {
    await ensureDebianPackages(engine.debianPackages, say);
    // one builder at a time: a second one finds the work done when its turn comes
    const lock = path.join(await cacheFolder('images'), 'lock');
    const command = [lock, process.execPath, import.meta.filename, '--locked', ...missing.map(({ name }) => name)];
    const { stdout } = await run('flock', command, { onLine: say });
    // what was built counts, not what was planned: a source may have changed while the turn came
    const built = stdout.split('\n').map(asImage);
    images = images.map((image) => built.find((found) => found?.name === image.name) ?? image);
  }
  const now = new Date();
  // used just now: the newest are kept
  for (const image of images) await utimes(image.archive, now, now);
  return images;
}

/** Where the image of the present sources is, or will be. */
async function planned(name: ImageName, bases: Bases): Promise<BuiltImage> {
  const { containerfile, inputs, base } = recipes[name];
  const texts = [name, bases[base]];
  const key = await contentKey({ texts, paths: [containerfile, ...inputs], ignored: isIgnored });
  const archive = path.join(await cacheFolder('images', 'archives'), `${name}-${key}.tar`);
  return { name, reference: `localhost/cloudfreedom/${name}:${key}`, archive };
}

/** Builds what is missing; runs under the lock. */
async function buildMissing(names: readonly ImageName[]): Promise<void> {
  const engine = await chooseEngine();
  const bases = await baseReferences(engine);
  await using secrets = await registrySecrets(engine);
  await ensureBases(engine, bases, secrets, (line) => console.error(line));
  const waiting = [...names];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const image = await planned(name, bases);
      if (!existsSync(image.archive)) await build(engine, image, bases, secrets.files);
      await dropOld(engine, image);
      console.log(asLine(image));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_BUILDS }, work));
  await engine.prune();
}

async function build(engine: Engine, image: BuiltImage, bases: Bases, secrets: Record<string, string>): Promise<void> {
  const { containerfile, context, base } = recipes[image.name];
  const started = Date.now();
  const say: Say = (line) => console.error(`${image.name}: ${line}`);
  say(`building ${image.reference} with ${engine.name}`);
  await engine.build({
    reference: image.reference,
    containerfile,
    context,
    args: { [base]: bases[base] },
    secrets,
    onLine: (line) => {
      const step = /^STEP (\d+\/\d+): (.{0,60})/.exec(line) ?? /^\[.*?(\d+\/\d+)\] (.{0,60})/.exec(line);
      if (step) say(`${step[1]} ${step[2]}`);
    },
  });
  const partial = `${image.archive}.partial`;
  await rm(partial, { force: true });
  await engine.save(image.reference, partial);
  await rename(partial, image.archive);
  const megabytes = Math.round((await stat(image.archive)).size / 1e6);
  say(`built in ${Math.round((Date.now() - started) / 1000)} s, ${megabytes} MB`);
}

async function dropOld(engine: Engine, image: BuiltImage): Promise<void> {
  const folder = path.dirname(image.archive);
  const pattern = new RegExp(`^${image.name}-([0-9a-f]{12})\\.tar$`);
  const found = [];
  for (const name of await readdir(folder)) {
    const key = pattern.exec(name)?.[1];
    if (key) found.push({ file: path.join(folder, name), key, used: (await stat(path.join(folder, name))).mtimeMs });
  }
  found.sort((a, b) => b.used - a.used);
  for (const { file, key } of found.slice(KEPT_ARCHIVES)) {
    await rm(file, { force: true });
    await engine.remove(`localhost/cloudfreedom/${image.name}:${key}`);
  }
}

function asLine({ name, reference, archive }: BuiltImage): string {
  return `${name} ${reference} ${archive}`;
}

function asImage(line: string): BuiltImage | undefined {
  const [name, reference, archive] = line.split(' ');
  const known = imageNames.find((known) => known === name);
  return known && reference && archive ? { name: known, reference, archive } : undefined;
}

if (import.meta.main) {
  const [first, ...rest] = process.argv.slice(2);
  const wanted = first === '--locked' ? rest : process.argv.slice(2);
  const unknown = wanted.filter((name) => !(name in recipes));
  if (unknown.length > 0) {
    console.error(`no image named ${unknown.join(', ')}; there are: ${imageNames.join(', ')}`);
    process.exit(2);
  }
  const names = wanted.length > 0 ? (wanted as ImageName[]) : imageNames;
  if (first === '--locked') await buildMissing(names);
  else {
    for (const image of await buildImages(names, progress('images'))) console.log(asLine(image));
  }
}
