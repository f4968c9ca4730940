import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../process/run.ts';
import { cacheFolder } from './cache.ts';

/** One image to be built. */
export interface BuildRequest {
  reference: string;
  containerfile: string;
  context: string;
  /** ARG values by name. */
  args: Record<string, string>;
  /** Files by the name a RUN line mounts them under. */
  secrets: Record<string, string>;
  onLine: (line: string) => void;
}

/** A program that makes images of Containerfiles. */
export interface Engine {
  name: 'buildah' | 'docker';
  /** Debian packages it needs. */
  debianPackages: string[];
  /** Whether base images come from a registry; else they are made here. */
  hasRegistry: boolean;
  build(request: BuildRequest): Promise<void>;
  has(reference: string): Promise<boolean>;
  /** Writes one image, uncompressed, in the format that `docker load` and `ctr images import` read. */
  save(reference: string, archive: string): Promise<void>;
  remove(reference: string): Promise<void>;
  /** Drops the layers that no named image is made of any longer, where the store is ours alone. */
  prune(): Promise<void>;
}

/**
 * Docker where its engine answers, else buildah, which needs neither a daemon nor a registry nor a container runtime.
 * CLOUDFREEDOM_IMAGE_ENGINE=buildah|docker decides otherwise.
 */
export async function chooseEngine(): Promise<Engine> {
  const wish = process.env.CLOUDFREEDOM_IMAGE_ENGINE;
  if (wish !== undefined && wish !== 'buildah' && wish !== 'docker') {
    throw new Error(`CLOUDFREEDOM_IMAGE_ENGINE is ${wish}; it may be buildah or docker`);
  }
  const answers = (): Promise<boolean> => succeeds('docker', ['info']);
  const useDocker = wish === 'docker' || (wish === undefined && (await answers()));
  return useDocker ? docker() : await buildah();
}

/** buildah with a store of our own, so that neither the machine's images nor ours meet the other's. */
async function buildah(): Promise<Engine> {
  const root = await cacheFolder('images', 'storage');
  const runroot = path.join('/run/cloudfreedom-images', createHash('sha256').update(root).digest('hex').slice(0, 12));
  if (process.getuid?.() === 0) await mkdir(runroot, { recursive: true });
  const store = ['--root', root, '--runroot', runroot];
  return {
    name: 'buildah',
    debianPackages: ['buildah', 'debootstrap', 'python3-pip', 'ca-certificates'],
    hasRegistry: false,
    async build({ reference, containerfile, context, args, secrets, onLine }) {
      const ignorefile = ['--ignorefile', `${containerfile}.dockerignore`];
      const options = ['--isolation', 'chroot', '--layers', '--pull-never', '--format', 'docker'];
      const where = ['--file', containerfile, '--tag', reference, context];
      const ignoring = (await succeeds('test', ['-f', `${containerfile}.dockerignore`])) ? ignorefile : [];
      const values = [...each('--build-arg', args, '='), ...secretOptions(secrets)];
      await run('buildah', [...store, 'build', ...options, ...ignoring, ...values, ...where], { onLine });
    },
    has: (reference) => succeeds('buildah', [...store, 'inspect', '--type', 'image', reference]),
    async save(reference, archive) {
      await run('buildah', [...store, 'push', '--quiet', reference, `docker-archive:${archive}:${reference}`]);
    },
    async remove(reference) {
      await run('buildah', [...store, 'rmi', reference]).catch(() => undefined);
    },
    async prune() {
      // what an interrupted build left holds its layers
      await run('buildah', [...store, 'rm', '--all']).catch(() => undefined);
      await run('buildah', [...store, 'rmi', '--prune']).catch(() => undefined);
    },
  };
}

/** Docker's own builder; the base images come from its registry. */
function docker(): Engine {
  return {
    name: 'docker',
    debianPackages: [],
    hasRegistry: true,
    async build({ reference, containerfile, context, args, secrets, onLine }) {
      const values = [...each('--build-arg', args, '='), ...secretOptions(secrets)];
      const where = ['--file', containerfile, '--tag', reference, context];
      const env = { ...process.env, DOCKER_BUILDKIT: '1' };
      await run('docker', ['build', '--progress', 'plain', ...values, ...where], { onLine, env });
    },
    has: (reference) => succeeds('docker', ['image', 'inspect', reference]),
    async save(reference, archive) {
      await run('docker', ['save', '--output', archive, reference]);
    },
    async remove(reference) {
      await run('docker', ['image', 'rm', reference]).catch(() => undefined);
    },
    prune: async () => {},
  };
}

function each(option: string, values: Record<string, string>, between: string): string[] {
  return Object.entries(values).flatMap(([name, value]) => [option, `${name}${between}${value}`]);
}

function secretOptions(secrets: Record<string, string>): string[] {
  return Object.entries(secrets).flatMap(([name, file]) => ['--secret', `id=${name},src=${file}`]);
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
