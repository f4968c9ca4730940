import type { KubeObject } from '../../runtime/cluster.ts';
import { component } from '../names.ts';
import type { Wish } from '../wish.ts';
import { metadata } from './object.ts';
import { selector } from './pod.ts';

/** Tells Prometheus where the gateway's metrics are, where its operator is installed. */
export function serviceMonitor(wish: Wish): KubeObject[] {
  if (!wish.circumstances.hasServiceMonitors) return [];
  return [
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: metadata(wish, component.liteLlm),
      spec: { selector: selector(component.liteLlm), endpoints: [{ port: 'main', path: '/metrics', interval: '30s' }] },
    },
  ];
}
