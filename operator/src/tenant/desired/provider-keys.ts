import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName } from '../names.ts';
import type { SecretData, Wish } from '../wish.ts';
import { metadata } from './object.ts';

/** Copies of Secrets of the platform that this tenant's pods read; they follow their source. */
export function copiedSecrets(wish: Wish): KubeObject[] {
  return [
    opaque(wish, component.liteLlm, objectName.providerKeys, wish.providerKeys),
    ...(wish.externalDatabaseUrl === undefined
      ? []
      : [opaque(wish, component.openWebUi, objectName.externalPostgres, { DATABASE_URL: wish.externalDatabaseUrl })]),
  ];
}

/** A Secret with its data encoded as Kubernetes stores it, so that a comparison with the stored one is exact. */
export function opaque(wish: Wish, part: string, name: string, data: SecretData): KubeObject {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(wish, part, name),
    type: 'Opaque',
    data: Object.fromEntries(encoded),
  };
}
