import type { KubeObject } from '../../runtime/cluster.ts';
import { labels, TENANT_UID_ANNOTATION } from '../names.ts';
import type { Wish } from '../wish.ts';

/** The tenant's namespace; Pod Security `restricted` is enforced in it. */
export function namespace({ tenant, namespace: name }: Wish): KubeObject {
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
      annotations: { [TENANT_UID_ANNOTATION]: tenant.uid },
    },
  };
}
