import type { KubeObject } from '../../runtime/cluster.ts';
import { labels, RETAINED_ANNOTATION, TENANT_UID_ANNOTATION } from '../names.ts';
import type { Outline } from '../wish.ts';

/** What makes a namespace a tenant's: all that is needed to mark one whose Tenant cannot be read any more. */
export type NamespaceOwner = Pick<Outline, 'tenant' | 'namespace'>;

/**
 * The tenant's namespace; Pod Security `restricted` is enforced in it. `retainedBy` names the deletion policy that keeps
 * it although its Tenant goes.
 */
export function namespace({ tenant, namespace: name }: NamespaceOwner, retainedBy?: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: {
        ...labels(tenant.name, 'namespace'),
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/enforce-version': 'latest',
        'pod-security.kubernetes.io/audit': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      },
      annotations: {
        [TENANT_UID_ANNOTATION]: tenant.uid,
        ...(retainedBy && { [RETAINED_ANNOTATION]: retainedBy }),
      },
    },
  };
}
