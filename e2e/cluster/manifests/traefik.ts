import { accountWithRights, type Manifest, restrictedContainer } from './manifest.ts';

/** Default IngressClass of the rig. */
export const INGRESS_CLASS = 'traefik';
/** Where the ingress controller's pods run, for NetworkPolicies. */
export const INGRESS_NAMESPACE = 'ingress';
/** Ports of the node behind which HTTPS and HTTP are; the rig leads 443 and 80 of loopback there. */
export const NODE_PORT_HTTPS = 30443;
export const NODE_PORT_HTTP = 30080;

const namespace = INGRESS_NAMESPACE;
const labels = { 'app.kubernetes.io/name': 'traefik' };

/** The ingress controller: an ordinary pod, so that NetworkPolicies judge it like any other. */
export function traefik(image: string): Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...accountWithRights('traefik', namespace, [
      { apiGroups: [''], resources: ['services', 'secrets', 'nodes', 'namespaces'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      {
        apiGroups: ['networking.k8s.io'],
        resources: ['ingresses', 'ingressclasses'],
        verbs: ['get', 'list', 'watch'],
      },
      { apiGroups: ['networking.k8s.io'], resources: ['ingresses/status'], verbs: ['update'] },
    ]),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: {
        name: INGRESS_CLASS,
        annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' },
      },
      spec: { controller: 'traefik.io/ingress-controller' },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'traefik', namespace, labels },
      spec: {
        type: 'NodePort',
        selector: labels,
        ports: [
          { name: 'https', port: 443, targetPort: 'https', nodePort: NODE_PORT_HTTPS },
          { name: 'http', port: 80, targetPort: 'http', nodePort: NODE_PORT_HTTP },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'traefik', namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: traefikPod(image) },
      },
    },
  ];
}

function traefikPod(image: string) {
  return {
    serviceAccountName: 'traefik',
    priorityClassName: 'system-cluster-critical',
    containers: [
      {
        name: 'traefik',
        image,
        imagePullPolicy: 'IfNotPresent',
        args: [
          '--global.checknewversion=false',
          '--global.sendanonymoususage=false',
          '--log.level=INFO',
          '--log.nocolor=true',
          '--entrypoints.http.address=:8000',
          '--entrypoints.http.http.redirections.entrypoint.to=:443',
          '--entrypoints.http.http.redirections.entrypoint.scheme=https',
          '--entrypoints.https.address=:8443',
          '--entrypoints.https.asdefault=true',
          '--entrypoints.https.http.tls=true',
          // An image or a long document may take its time on the way up.
          '--entrypoints.https.transport.respondingtimeouts.readtimeout=10m',
          '--entrypoints.ping.address=:8082',
          '--ping=true',
          '--ping.entrypoint=ping',
          '--providers.kubernetesingress=true',
          '--providers.kubernetesingress.ingressendpoint.ip=127.0.0.1',
          // Its default of two seconds would be most of the time until a new host answers.
          '--providers.providersthrottleduration=250ms',
        ],
        ports: [
          { name: 'https', containerPort: 8443 },
          { name: 'http', containerPort: 8000 },
          { name: 'ping', containerPort: 8082 },
        ],
        readinessProbe: { httpGet: { path: '/ping', port: 'ping' }, periodSeconds: 2 },
        livenessProbe: { httpGet: { path: '/ping', port: 'ping' }, initialDelaySeconds: 30 },
        resources: { requests: { cpu: '50m', memory: '110Mi' }, limits: { memory: '512Mi' } },
        securityContext: restrictedContainer,
        volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
      },
    ],
    volumes: [{ name: 'tmp', emptyDir: {} }],
  };
}
