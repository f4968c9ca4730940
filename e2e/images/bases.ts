import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Say } from '../process/progress.ts';
import { run } from '../process/run.ts';
import { cacheFolder, contentKey } from './cache.ts';
import type { Engine } from './engine.ts';
import { NODE_VERSION, NPM_VERSION } from './recipes.ts';
import { bookwormSources, type RegistrySecrets } from './registry-secrets.ts';

/** The Debian release of every image; its Python is the one the locks are resolved for. */
const SUITE = 'bookworm';

/** What of Debian's minimal system no container reads. */
const LEFT_OUT = [
  ...['dev/*', 'usr/share/man/*', 'usr/share/info/*', 'usr/share/locale/*', 'usr/share/lintian', 'tmp/*'],
  ...['var/lib/apt/lists/*', 'var/cache/apt/*', 'var/log/*', 'etc/resolv.conf', 'etc/hostname'],
];

/** References of the images that others start from, by the ARG that takes them. */
export interface Bases {
  /** Debian alone. */
  BASE: string;
  /** Debian with Node and npm. */
  NODE: string;
}

const folder = (name: string) => path.join(import.meta.dirname, name);
const reference = (name: string, key: string) => `localhost/cloudfreedom/${name}:${key}`;

/** The bases' references, which follow from their recipes alone: nothing is built for them. */
export async function baseReferences(engine: Engine): Promise<Bases> {
  if (engine.hasRegistry) {
    const debian = 'docker.io/library/debian:bookworm-slim';
    return { BASE: debian, NODE: `docker.io/library/node:${NODE_VERSION}-bookworm-slim` };
  }
  const debian = await contentKey({ texts: [SUITE, ...LEFT_OUT], paths: [folder('debian')] });
  const node = await contentKey({ texts: [debian, NODE_VERSION, NPM_VERSION], paths: [folder('node')] });
  return { BASE: reference('debian', debian), NODE: reference('node', node) };
}

/** Makes those bases that are missing, where no registry has them. */
export async function ensureBases(engine: Engine, wanted: Bases, secrets: RegistrySecrets, say: Say): Promise<void> {
  if (engine.hasRegistry) return;
  if (!(await engine.has(wanted.BASE))) await makeDebian(engine, wanted, secrets, say);
  if (!(await engine.has(wanted.NODE))) await makeNode(engine, wanted, secrets, say);
}

async function makeDebian(engine: Engine, { BASE }: Bases, secrets: RegistrySecrets, say: Say): Promise<void> {
  say(`debian: making Debian ${SUITE} with debootstrap`);
  const work = await mkdtemp(path.join(await cacheFolder('images'), 'debian-'));
  try {
    const source = (await bookwormSources()).find(({ suite }) => suite === SUITE);
    const mirror = source ? [source.address] : [];
    const files = path.join(work, 'root');
    await run('debootstrap', ['--variant=minbase', SUITE, files, ...mirror]);
    await run('cp', ['-a', `${folder('debian')}/.`, work]);
    const left = LEFT_OUT.map((pattern) => `--exclude=./${pattern}`);
    await run('find', [`${files}/usr/share/doc`, '-depth', '-type', 'f', '!', '-name', 'copyright', '-delete']);
    await run('tar', ['-C', files, '--numeric-owner', ...left, '-cf', path.join(work, 'rootfs.tar'), '.']);
    await rm(files, { recursive: true });
    const common = { context: work, args: {}, secrets: secrets.files, onLine: () => {} };
    await engine.build({ reference: BASE, containerfile: path.join(work, 'Containerfile'), ...common });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function makeNode(engine: Engine, { BASE, NODE }: Bases, secrets: RegistrySecrets, say: Say): Promise<void> {
  say(`node: making Node ${NODE_VERSION} from npm`);
  const work = await mkdtemp(path.join(await cacheFolder('images'), 'node-'));
  try {
    const packages = [`node@${NODE_VERSION}`, `npm@${NPM_VERSION}`];
    await run('npm', ['install', '--prefix', work, '--no-save', '--no-audit', '--no-fund', ...packages], { cwd: work });
    const common = { context: work, args: { BASE }, secrets: secrets.files, onLine: () => {} };
    await engine.build({ reference: NODE, containerfile: path.join(folder('node'), 'Containerfile'), ...common });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
