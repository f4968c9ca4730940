import { checksum } from '../checksum.ts';
import { COMPONENT_LABEL, CONFIG_CHECKSUM_ANNOTATION, labels, SECRETS_CHECKSUM_ANNOTATION } from '../names.ts';
import type { Outline, SecretData } from '../wish.ts';
import type { Resources } from './sizes.ts';

/** Users of the official images, by number, so that the kubelet can prove that none is root. */
export const user = { database: 999, application: 65532 } as const;

/** What every container gives up. */
export const containerSecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

/** Seconds between the last request a Service sends to a pod and its SIGTERM: endpoints need a moment to spread. */
export const DRAIN_SECONDS = 5;

/** What a pod of a tenant is made of; security and scheduling are the same for all. */
export interface PodParts {
  part: string;
  runAs: number;
  containers: object[];
  initContainers?: object[];
  volumes?: object[];
  terminationGracePeriodSeconds: number;
  /** What the pod mounts or reads as configuration; a change rolls the pods. */
  config?: SecretData;
  /** What the pod reads from Secrets; a change rolls the pods. Only a hash of it is written. */
  secrets?: SecretData;
  restartPolicy?: 'OnFailure' | 'Never';
  /**
   * The pod's own init is process 1. A process 1 ignores a SIGTERM it has no handler for, and Python has none until its
   * server is up: without this, a pod deleted while it starts would live on until its grace period ends.
   */
  hasInit?: boolean;
}

/** The template of a pod. */
export function podTemplate(wish: Outline, parts: PodParts): object {
  return {
    metadata: {
      labels: labels(wish.tenant.name, parts.part),
      ...((parts.config || parts.secrets) && {
        annotations: {
          ...(parts.config && { [CONFIG_CHECKSUM_ANNOTATION]: checksum(parts.config) }),
          ...(parts.secrets && { [SECRETS_CHECKSUM_ANNOTATION]: checksum(parts.secrets) }),
        },
      }),
    },
    spec: {
      serviceAccountName: parts.part,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(parts.hasInit && { shareProcessNamespace: true }),
      ...(parts.restartPolicy && { restartPolicy: parts.restartPolicy }),
      terminationGracePeriodSeconds: parts.terminationGracePeriodSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: parts.runAs,
        runAsGroup: parts.runAs,
        fsGroup: parts.runAs,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(parts.initContainers && { initContainers: parts.initContainers }),
      containers: parts.containers,
      volumes: [{ name: 'tmp', emptyDir: {} }, ...(parts.volumes ?? [])],
    },
  };
}

/** The selector of a workload: immutable in Kubernetes, so it holds nothing that could ever change. */
export function selector(part: string): { matchLabels: Record<string, string> } {
  return { matchLabels: { [COMPONENT_LABEL]: part } };
}

/** One environment variable with a plain value. */
export function plain(name: string, value: string): { name: string; value: string } {
  return { name, value };
}

/** One environment variable that comes from a Secret. */
export function secret(name: string, secretName: string, key: string = name): object {
  return { name, valueFrom: { secretKeyRef: { name: secretName, key } } };
}

/** The container that every part has, with what all of them share filled in. */
export function container(
  wish: Outline,
  fields: { name: string; image: string; resources: Resources; volumeMounts?: object[] } & Record<string, unknown>,
): object {
  return {
    imagePullPolicy: wish.settings.imagePullPolicy,
    securityContext: containerSecurityContext,
    ...fields,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...(fields.volumeMounts ?? [])],
  };
}
