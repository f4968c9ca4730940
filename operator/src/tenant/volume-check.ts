import { notAbove } from '@cloudfreedom/crds/quantity.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { objectName } from './names.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { Wish } from './wish.ts';

/** Why a volume that exists cannot become as wished: Kubernetes lets it grow, and nothing else. */
export function volumeUnchangeable({ spec }: Wish, owned: readonly KubeObject[]): Refusal | undefined {
  const wished = [
    { name: objectName.postgresVolume, field: 'postgresSize', size: spec.storage.postgresSize },
    { name: objectName.redisVolume, field: 'redisSize', size: spec.storage.redisSize },
    { name: objectName.backupVolume, field: 'backupSize', size: spec.storage.backupSize },
  ];
  const { className } = spec.storage;
  for (const { name, field, size } of wished) {
    const live = owned.find(({ kind, metadata }) => kind === 'PersistentVolumeClaim' && metadata.name === name);
    if (!live) continue;
    const current = live.spec as { storageClassName?: string; resources: { requests: { storage: string } } };
    if (!notAbove(current.resources.requests.storage, size)) {
      return refuse(
        'InvalidSpec',
        `spec.storage.${field}: a volume cannot shrink from ${current.resources.requests.storage} to ${size}: state at least its size`,
      );
    }
    if (className !== undefined && current.storageClassName !== undefined && current.storageClassName !== className) {
      return refuse(
        'InvalidSpec',
        `spec.storage.className: volumes exist in class "${current.storageClassName}" and cannot move to "${className}": set it back`,
      );
    }
  }
  return undefined;
}

/** StorageClass of every volume of the tenant, by name of its claim. */
export function volumeClasses(owned: readonly KubeObject[]): Record<string, string> {
  const entries = owned.flatMap(({ kind, metadata, spec }) => {
    const className = (spec as { storageClassName?: string } | undefined)?.storageClassName;
    return kind === 'PersistentVolumeClaim' && className !== undefined ? [[metadata.name, className]] : [];
  });
  return Object.fromEntries(entries);
}
