import type { KubeObject } from '../../runtime/cluster.ts';
import { COMPONENT_LABEL } from '../names.ts';
import type { Wish } from '../wish.ts';
import { metadata } from './object.ts';

/** A Service under the part's own name, inside the cluster only. */
export function service(wish: Wish, part: string, number: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(wish, part),
    spec: {
      type: 'ClusterIP',
      selector: { [COMPONENT_LABEL]: part },
      ports: [{ name: 'main', protocol: 'TCP', port: number, targetPort: number }],
    },
  };
}
