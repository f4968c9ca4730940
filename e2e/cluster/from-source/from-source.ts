import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Say } from '../../process/progress.ts';
import { run } from '../../process/run.ts';
import { until } from '../../process/until.ts';
import { applySystem } from '../apply-system.ts';
import type { Cluster } from '../cluster.ts';
import { STORAGE_CLASS } from '../manifests/local-path.ts';
import { INGRESS_CLASS, INGRESS_NAMESPACE, NODE_PORT_HTTP, NODE_PORT_HTTPS } from '../manifests/traefik.ts';
import { programsFolder } from '../programs.ts';
import type { ImageArchive } from '../static-image.ts';
import { systemImages } from '../system-images.ts';
import { toolsFolder } from '../tools.ts';
import { writeConfiguration } from './configuration.ts';
import { type Credentials, makeCredentials } from './credentials.ts';
import { makeCgroups, makeNetwork, removeCgroups, removeNetwork } from './host.ts';
import { API_PORT, containerdSocket, NODE_ADDRESS, type Node, nodeNamed } from './node.ts';
import { installPackages } from './packages.ts';
import { nodeProcesses } from './processes.ts';
import { exclusively, recordedRun, startRecorded, stopRecorded } from './recorded-process.ts';

const NAME = 'cloudfreedom';
const LOOPBACK = '127.0.0.1';
const HTTP_PORT = 80;
const HTTPS_PORT = 443;
/** Milliseconds until containerd, the API server and the node must be there; seconds on a quiet machine. */
const START_DEADLINE_MS = 180_000;
/** Images imported at a time: one is read while another is unpacked. */
const PARALLEL_IMPORTS = 2;
/** Fixed places of kubelet and the network plugins; node-init mounts folders of the node's own over them. */
const MOUNT_POINTS = ['/var/lib/kubelet', '/var/lib/cni'];

/** Brings the node up in namespaces of its own on this machine, or returns it where it runs. `folder` gets its files. */
export async function bringUpFromSource(folder: string, say: Say): Promise<Cluster> {
  if (process.getuid?.() !== 0) {
    throw new Error('no Docker engine answers, and the from-source cluster needs root: start Docker, or run as root');
  }
  const node = nodeNamed(NAME, folder);
  return await exclusively(lockOf(node), say, async () => {
    const owner = ownerOf(node);
    if (owner !== undefined && existsSync(readyFileOf(node)) && recordedRun(recordsOf(node))) {
      if (owner !== folder)
        throw new Error(`the cluster of another checkout is up, from ${owner}: \`make down\` there first`);
      say('already up');
      return clusterOf(node);
    }
    await cleanUp(nodeNamed(NAME, owner ?? folder));
    await start(node, say);
    return clusterOf(node);
  });
}

async function start(node: Node, say: Say): Promise<void> {
  await installPackages(say);
  for (const port of [HTTPS_PORT, HTTP_PORT, API_PORT]) await assertFree(port);
  const binFolder = await toolsFolder('kubernetes', say);
  const programs = await programsFolder();
  const images = await systemImages(programs, say);
  try {
    say('starting etcd, API server, containerd, kubelet');
    const credentials = await startNode(node, binFolder, programs, images.pause.reference);
    const cluster = clusterOf(node);
    await until('containerd to answer', () => containerd(node, 'version').then(() => true), deadline());
    await cluster.loadImages(Object.values(images), say);
    await nodeReady(node, binFolder, credentials, say);
    await applySystem({
      binFolder,
      kubeconfigPath: cluster.kubeconfigPath,
      images,
      volumesFolder: volumesOf(node),
      say,
    });
    writeFileSync(readyFileOf(node), '');
  } catch (cause) {
    throw new Error(`the cluster did not come up; its logs are in ${path.join(node.folder, 'log')}`, { cause });
  }
}

/** Takes down whatever runs from `folder`, or is left of it, even when all its processes were killed. */
export async function takeDownFromSource(folder: string, say: Say): Promise<void> {
  const node = nodeNamed(NAME, folder);
  await exclusively(lockOf(node), say, async () => {
    const owner = ownerOf(node);
    if (owner !== undefined && owner !== folder)
      throw new Error(`the cluster that is up is not of here but of ${owner}`);
    await cleanUp(node);
    say(owner === undefined ? 'nothing was up' : 'down');
  });
}

function clusterOf(node: Node): Cluster {
  return {
    kind: 'from-source',
    kubeconfigPath: path.join(node.folder, 'credentials', 'admin.kubeconfig'),
    ingressAddress: LOOPBACK,
    ingressPort: HTTPS_PORT,
    ingressClass: INGRESS_CLASS,
    ingressNamespace: INGRESS_NAMESPACE,
    storageClass: STORAGE_CLASS,
    loadImages: (archives, say) => loadImages(node, archives, say),
  };
}

async function startNode(node: Node, binFolder: string, programs: string, pauseImage: string): Promise<Credentials> {
  mkdirSync(node.runFolder, { recursive: true, mode: 0o700 });
  writeFileSync(ownerFileOf(node), node.folder);
  for (const name of ['log/pods', 'processes', 'volumes', 'mounts/var/log']) {
    mkdirSync(path.join(node.folder, name), { recursive: true });
  }
  for (const place of MOUNT_POINTS) {
    mkdirSync(place, { recursive: true });
    mkdirSync(path.join(node.folder, 'mounts', place), { recursive: true });
  }
  const credentials = makeCredentials(node, `https://${LOOPBACK}:${API_PORT}`);
  const configuration = writeConfiguration(node, credentials, pauseImage);
  for (const [name, command] of Object.entries(nodeProcesses(node, binFolder, credentials, configuration))) {
    const file = path.join(node.folder, 'processes', name);
    writeFileSync(file, `#!/bin/sh\nexec ${command.map(quoted).join(' \\\n  ')}\n`);
    chmodSync(file, 0o755);
  }
  makeCgroups(node);
  await makeNetwork(node);
  const inNetwork = ['nsenter', `--net=${node.networkNamespace}`, '--'];
  const asNode = [
    'unshare',
    '--mount',
    '--propagation=private',
    '--uts',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const init = [path.join(import.meta.dirname, 'node-init'), node.folder, node.name];
  const log = (name: string) => path.join(node.folder, 'log', `${name}.log`);
  startRecorded(recordsOf(node), 'node', [...inNetwork, ...asNode, '--', ...init], log('node'));
  const routes = [
    `${LOOPBACK}:${API_PORT}=${NODE_ADDRESS}:${API_PORT}`,
    `${LOOPBACK}:${HTTPS_PORT}=${NODE_ADDRESS}:${NODE_PORT_HTTPS}`,
    `${LOOPBACK}:${HTTP_PORT}=${NODE_ADDRESS}:${NODE_PORT_HTTP}`,
  ];
  const forwarder = [path.join(programs, 'forwarder'), node.networkNamespace, ...routes];
  startRecorded(recordsOf(node), 'forwarder', forwarder, log('forwarder'));
  return credentials;
}

async function nodeReady(node: Node, binFolder: string, credentials: Credentials, say: Say): Promise<void> {
  const kubectl = (...args: string[]) =>
    run(path.join(binFolder, 'kubectl'), ['--kubeconfig', credentials.kubeconfigs.admin, ...args]);
  await until('the API server to be ready', () => kubectl('get', '--raw', '/readyz').then(() => true), deadline());
  say('API server is ready');
  const condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  await until(
    'the node to be Ready',
    async () => ((await kubectl('get', 'node', node.name, '-o', condition)).stdout === 'True' ? true : undefined),
    deadline(),
  );
  say('node is Ready');
}

async function loadImages(node: Node, archives: readonly ImageArchive[], say?: Say): Promise<void> {
  const { stdout } = await containerd(node, '--namespace', 'k8s.io', 'images', 'list', '--quiet');
  const present = new Set(stdout.split('\n'));
  const missing = archives.filter(({ reference }) => !present.has(reference)).values();
  const work = async () => {
    for (const { reference, archive } of missing) {
      await containerd(node, '--namespace', 'k8s.io', 'images', 'import', archive);
      say?.(`loaded image ${reference}`);
    }
  };
  // The workers share one iterator: each takes the next image that nobody has.
  await Promise.all(Array.from({ length: PARALLEL_IMPORTS }, work));
}

function containerd(node: Node, ...args: string[]) {
  return run('ctr', ['--address', containerdSocket(node), ...args]);
}

/** Ends the node's processes and removes its network, cgroups and files; what is not there is passed over. */
async function cleanUp(node: Node): Promise<void> {
  await stopRecorded(recordsOf(node));
  await removeNetwork(node);
  await removeCgroups(node);
  rmSync(node.folder, { recursive: true, force: true });
  rmSync(node.runFolder, { recursive: true, force: true });
  for (const place of MOUNT_POINTS) {
    try {
      rmdirSync(place);
    } catch {
      // not there, or not empty: then the machine has a use of its own for it
    }
  }
}

function recordsOf(node: Node): string {
  return path.join(node.runFolder, 'processes');
}

function volumesOf(node: Node): string {
  return path.join(node.folder, 'volumes');
}

function ownerFileOf(node: Node): string {
  return path.join(node.runFolder, 'folder');
}

/** Is there once everything has come up; a cluster without it is taken down before the next attempt. */
function readyFileOf(node: Node): string {
  return path.join(node.runFolder, 'ready');
}

function lockOf(node: Node): string {
  return `${node.runFolder}.lock`;
}

/** The folder of the cluster that runs, or once ran, under this name since the machine was started. */
function ownerOf(node: Node): string | undefined {
  return existsSync(ownerFileOf(node)) ? readFileSync(ownerFileOf(node), 'utf8') : undefined;
}

async function assertFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Error(`port ${port} of ${LOOPBACK} is in use by another program; end that first`, { cause }));
    });
    server.listen(port, LOOPBACK, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function deadline() {
  return { timeoutMs: START_DEADLINE_MS };
}
