import { stringify } from 'yaml';

/** Where the stand-in for the model providers runs; a namespace of its own, as a foreign service would. */
export const PROVIDER_NAMESPACE = 'fake-provider';
const PORT = 8080;
const labels = { 'app.kubernetes.io/name': 'fake-upstream' };

/** The chart's values that send every provider's traffic to the stand-in, and let tenants reach it. */
export function fakeProviderValues() {
  const host = `http://fake-upstream.${PROVIDER_NAMESPACE}.svc:${PORT}`;
  return {
    catalog: {
      providers: {
        openai: { apiBase: `${host}/v1` },
        anthropic: { apiBase: host },
        gemini: { apiBase: `${host}/v1beta` },
      },
    },
    egress: [{ namespace: PROVIDER_NAMESPACE, podLabels: labels, ports: [PORT] }],
  };
}

/** The manifests of the stand-in: one Deployment and its Service. */
export function fakeProviderManifests(image: string): string {
  const metadata = { name: 'fake-upstream', namespace: PROVIDER_NAMESPACE, labels };
  const container = {
    name: 'fake-upstream',
    image,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'http', containerPort: PORT }],
    readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 2 },
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: PROVIDER_NAMESPACE } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container], automountServiceAccountToken: false } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'http', port: PORT, targetPort: 'http' }] },
    },
  ];
  return objects.map((object) => stringify(object)).join('---\n');
}
