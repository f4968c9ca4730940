import type { KubeObject } from '../../runtime/cluster.ts';
import type { Outline } from '../wish.ts';
import { metadata } from './object.ts';

/**
 * A volume. It is an object of its own and no template of a StatefulSet, since a template can never be changed: this way
 * a volume grows with one apply.
 */
export function volumeClaim(wish: Outline, part: string, name: string, size: string): KubeObject {
  const className = wish.volumeClasses[name] ?? wish.spec.storage.className ?? wish.settings.storageClassName;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(wish, part, name),
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(className && { storageClassName: className }),
      resources: { requests: { storage: size } },
    },
  };
}

/** A pod's volume that is such a claim. */
export function claimed(name: string, claimName: string): object {
  return { name, persistentVolumeClaim: { claimName } };
}
