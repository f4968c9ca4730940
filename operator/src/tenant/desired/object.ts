import type { KubeObject, ObjectMeta } from '../../runtime/cluster.ts';
import { labels } from '../names.ts';
import type { Outline } from '../wish.ts';

/** Metadata of an object in the tenant's namespace that belongs to `part`. */
export function metadata({ tenant, namespace }: Outline, part: string, name: string = part): ObjectMeta {
  return { name, namespace, labels: labels(tenant.name, part) };
}

/** A ServiceAccount without a token: nothing in a tenant talks to the API server. */
export function serviceAccount(wish: Outline, part: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(wish, part),
    automountServiceAccountToken: false,
  };
}
