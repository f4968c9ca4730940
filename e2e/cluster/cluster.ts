import path from 'node:path';
import type { Say } from '../process/progress.ts';
import { run } from '../process/run.ts';
import type { KeyPair } from './certificates.ts';
import { bringUpFromSource, takeDownFromSource } from './from-source/from-source.ts';
import { bringUpKind, takeDownKind } from './kind/kind.ts';
import { localAuthority } from './local-authority.ts';
import type { ImageArchive } from './static-image.ts';

/** Milliseconds that `docker info` may take; a socket that nobody serves can hang. */
const DOCKER_ANSWER_MS = 10_000;
const local = path.resolve(import.meta.dirname, '..', '..', '.local');

/** A running cluster with DNS, storage and an ingress controller, but nothing of the platform. */
export interface Cluster {
  kind: 'from-source' | 'kind';
  /** Of a cluster admin. */
  kubeconfigPath: string;
  /** Address of this machine at which the ingress controller answers; loopback. */
  ingressAddress: string;
  /** TCP port of HTTPS at that address. */
  ingressPort: number;
  ingressClass: string;
  /** Namespace of the ingress controller's pods, for NetworkPolicies. */
  ingressNamespace: string;
  storageClass: string;
  /** Makes images known to the node; those that it has already are skipped. */
  loadImages(archives: readonly ImageArchive[], say?: Say): Promise<void>;
}

/** A cluster, and the authority for the certificates of what it serves. */
export interface ClusterHandle extends Cluster {
  /** PEM files; clients trust the certificate, the platform signs with the key. */
  authority: KeyPair;
}

/** Where a cluster keeps what it needs, and whom it tells how far it is. */
export interface ClusterOptions {
  say: Say;
}

/**
 * Brings the cluster up: kind where a Docker engine answers, else a node of our own from source (needs root on Debian).
 * A cluster that is up already is returned as it is.
 */
export async function bringUp({ say }: ClusterOptions): Promise<ClusterHandle> {
  const authority = await localAuthority(path.join(local, 'authority'));
  const folder = path.join(local, 'cluster');
  const cluster = (await dockerAnswers()) ? await bringUpKind(folder, say) : await bringUpFromSource(folder, say);
  return { ...cluster, authority };
}

/** Takes the cluster down and removes all it left on the machine, whatever state it is in. The authority stays. */
export async function takeDown({ say }: ClusterOptions): Promise<void> {
  const folder = path.join(local, 'cluster');
  if (await dockerAnswers()) await takeDownKind(folder, say);
  else await takeDownFromSource(folder, say);
}

function dockerAnswers(): Promise<boolean> {
  return run('docker', ['info'], { signal: AbortSignal.timeout(DOCKER_ANSWER_MS) }).then(
    () => true,
    () => false,
  );
}
