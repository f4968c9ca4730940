import type { KubeObject } from '../../runtime/cluster.ts';
import { component, objectName, port } from '../names.ts';
import type { Wish } from '../wish.ts';
import { metadata } from './object.ts';

/** Seconds a connection may be silent: longer than any pause in a stream. */
const IDLE_SECONDS = 3600;
/** Largest request body the way in accepts: long conversations with pictures. */
const BODY_LIMIT = '25m';

/** The way in: the OpenAI-compatible API below /v1, the chat everywhere else. */
export function route(wish: Wish): KubeObject[] {
  return [ingress(wish), ...certificate(wish)];
}

function ingress(wish: Wish): KubeObject {
  const { ingress: setting, tls } = wish.settings;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      ...metadata(wish, 'route', objectName.ingress),
      annotations: {
        // read by ingress-nginx; Traefik has neither limit by default
        'nginx.ingress.kubernetes.io/proxy-read-timeout': String(IDLE_SECONDS),
        'nginx.ingress.kubernetes.io/proxy-send-timeout': String(IDLE_SECONDS),
        'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
        'nginx.ingress.kubernetes.io/proxy-body-size': BODY_LIMIT,
      },
    },
    spec: {
      ...(setting.className && { ingressClassName: setting.className }),
      tls: [{ hosts: wish.hosts, ...(tls && { secretName: objectName.tls }) }],
      rules: wish.hosts.map((host) => ({
        host,
        http: {
          paths: [path('/v1', component.liteLlm, port.liteLlm), path('/', component.openWebUi, port.openWebUi)],
        },
      })),
    },
  };
}

function path(prefix: string, name: string, number: number): object {
  return { path: prefix, pathType: 'Prefix', backend: { service: { name, port: { number } } } };
}

function certificate(wish: Wish): KubeObject[] {
  const { tls } = wish.settings;
  if (tls === undefined || !('clusterIssuer' in tls)) return [];
  return [
    {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: metadata(wish, 'route', objectName.tls),
      spec: {
        secretName: objectName.tls,
        dnsNames: wish.hosts,
        issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: tls.clusterIssuer },
        privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
      },
    },
  ];
}
