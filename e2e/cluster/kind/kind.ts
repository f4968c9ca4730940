import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { Say } from '../../process/progress.ts';
import { run } from '../../process/run.ts';
import { applyAndWait } from '../apply-system.ts';
import type { Cluster } from '../cluster.ts';
import { INGRESS_CLASS, INGRESS_NAMESPACE, NODE_PORT_HTTP, NODE_PORT_HTTPS, traefik } from '../manifests/traefik.ts';
import type { ImageArchive } from '../static-image.ts';
import { traefikImage } from '../system-images.ts';
import { toolsFolder } from '../tools.ts';

const NAME = 'cloudfreedom';
const LOOPBACK = '127.0.0.1';
const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** Brings a kind cluster up, or returns the one that runs. kind brings DNS and storage; the ingress controller is ours. */
export async function bringUpKind(folder: string, say: Say): Promise<Cluster> {
  const kind = path.join(await toolsFolder('kind', say), 'kind');
  const cluster: Cluster = {
    kind: 'kind',
    kubeconfigPath: path.join(folder, 'kubeconfig'),
    ingressAddress: LOOPBACK,
    ingressPort: HTTPS_PORT,
    ingressClass: INGRESS_CLASS,
    ingressNamespace: INGRESS_NAMESPACE,
    storageClass: 'standard',
    loadImages: (archives, tell) => loadImages(kind, archives, tell),
  };
  const clusters = (await run(kind, ['get', 'clusters'])).stdout.split('\n');
  if (clusters.includes(NAME) && existsSync(cluster.kubeconfigPath)) {
    say('already up');
    return cluster;
  }
  if (clusters.includes(NAME)) await run(kind, ['delete', 'cluster', '--name', NAME]);
  mkdirSync(folder, { recursive: true });
  const configuration = path.join(folder, 'kind.yaml');
  writeFileSync(configuration, stringify(kindConfiguration()));
  const create = [
    'create',
    'cluster',
    '--name',
    NAME,
    '--config',
    configuration,
    '--kubeconfig',
    cluster.kubeconfigPath,
  ];
  await run(kind, [...create, '--wait', '180s'], { onLine: say });
  const image = await traefikImage(say);
  await cluster.loadImages([image], say);
  const binFolder = await toolsFolder('kubernetes', say);
  await applyAndWait({ binFolder, kubeconfigPath: cluster.kubeconfigPath, say }, traefik(image.reference));
  return cluster;
}

/** Deletes the kind cluster. */
export async function takeDownKind(folder: string, say: Say): Promise<void> {
  const kind = path.join(await toolsFolder('kind', say), 'kind');
  await run(kind, ['delete', 'cluster', '--name', NAME]);
  rmSync(folder, { recursive: true, force: true });
  say('down');
}

function kindConfiguration() {
  const mapping = (hostPort: number, containerPort: number) => ({ hostPort, containerPort, listenAddress: LOOPBACK });
  return {
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    kind: 'Cluster',
    networking: { apiServerAddress: LOOPBACK },
    nodes: [
      {
        role: 'control-plane',
        extraPortMappings: [mapping(HTTPS_PORT, NODE_PORT_HTTPS), mapping(HTTP_PORT, NODE_PORT_HTTP)],
      },
    ],
  };
}

async function loadImages(kind: string, archives: readonly ImageArchive[], say?: Say): Promise<void> {
  const { stdout } = await run('docker', ['exec', `${NAME}-control-plane`, 'crictl', 'images', '--output', 'json']);
  const present = new Set(JSON.parse(stdout).images.flatMap((image: { repoTags: string[] }) => image.repoTags));
  for (const { reference, archive } of archives) {
    if (present.has(reference)) continue;
    await run(kind, ['load', 'image-archive', archive, '--name', NAME]);
    say?.(`loaded image ${reference}`);
  }
}
