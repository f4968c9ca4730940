import path from 'node:path';
import type { Say } from '../process/progress.ts';
import { run } from '../process/run.ts';
import { coreDns } from './manifests/coredns.ts';
import { localPath } from './manifests/local-path.ts';
import type { Manifest } from './manifests/manifest.ts';
import { traefik } from './manifests/traefik.ts';
import type { SystemImages } from './system-images.ts';

/** How long kubectl waits for the pods. */
const READY_TIMEOUT = '180s';

/** Access to a new cluster, and what to put into it. */
export interface SystemOptions {
  binFolder: string;
  kubeconfigPath: string;
  images: SystemImages;
  /** Folder on the node for volumes. */
  volumesFolder: string;
  say: Say;
}

/** Installs DNS, storage and the ingress controller, and waits until their pods are ready. */
export async function applySystem({ images, volumesFolder, ...access }: SystemOptions): Promise<void> {
  await applyAndWait(access, [
    ...coreDns(images.coredns.reference),
    ...localPath(images.localPathProvisioner.reference, images.volumeHelper.reference, volumesFolder),
    ...traefik(images.traefik.reference),
  ]);
}

/** Applies objects and waits for the Deployments among them. */
export async function applyAndWait(
  { binFolder, kubeconfigPath, say }: Pick<SystemOptions, 'binFolder' | 'kubeconfigPath' | 'say'>,
  items: readonly Manifest[],
): Promise<void> {
  const kubectl = (args: string[], input = '') =>
    run(path.join(binFolder, 'kubectl'), ['--kubeconfig', kubeconfigPath, ...args], { input });
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], list);
  for (const { kind, metadata } of items) {
    if (kind !== 'Deployment') continue;
    const namespace = metadata.namespace ?? 'default';
    await kubectl([
      '--namespace',
      namespace,
      'rollout',
      'status',
      `deployment/${metadata.name}`,
      '--timeout',
      READY_TIMEOUT,
    ]);
    say(`${metadata.name} is ready`);
  }
}
