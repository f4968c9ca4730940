import type { KubeObject, Resource } from '../cluster.ts';
import { CONFIG_MAPS, DEPLOYMENTS } from './cluster-scenarios.ts';

/** One object of a kind that operators own, and an edit by hand that must be repaired. */
export type OwnedObject = [resource: Resource, object: KubeObject, edit?: Record<string, unknown>];

/** One object of every kind whose stored form differs from what is written: defaults, quantities, keyed lists. */
export function ownedObjects(namespace: string): OwnedObject[] {
  const labels = { app: 'thing' };
  const meta = (name: string) => ({ name, namespace, labels });
  const kind = (apiVersion: string, name: string, plural: string): Resource => ({
    apiVersion,
    kind: name,
    plural,
    namespaced: true,
  });
  const container = {
    name: 'main',
    image: 'example.org/thing:1',
    args: ['--serve'],
    ports: [{ name: 'http', containerPort: 8080 }],
    env: [
      { name: 'PLAIN', value: 'x' },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'keys', key: 'KEY' } } },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    resources: { requests: { cpu: '1000m', memory: '1024Mi' }, limits: { cpu: '1.5', memory: '2048Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  };
  const volumes = [
    { name: 'tmp', emptyDir: { sizeLimit: '1024Mi' } },
    { name: 'config', configMap: { name: 'config', items: [{ key: 'a', path: 'a' }] } },
  ];
  const template = {
    metadata: { labels },
    spec: { automountServiceAccountToken: false, containers: [container], volumes },
  };
  const selector = { matchLabels: labels };
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2048Mi' } } },
  };
  return [
    [
      CONFIG_MAPS,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('config'), data: { kept: 'k', gone: 'g' } },
      { data: { kept: 'by hand' } },
    ],
    [
      kind('v1', 'Secret', 'secrets'),
      { apiVersion: 'v1', kind: 'Secret', metadata: meta('keys'), type: 'Opaque', data: { KEY: 'c2VjcmV0' } },
      { data: { KEY: '' } },
    ],
    [
      kind('v1', 'Service', 'services'),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: meta('service'),
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
      },
      { spec: { selector: { more: 'm' } } },
    ],
    [
      kind('v1', 'ServiceAccount', 'serviceaccounts'),
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('account'), automountServiceAccountToken: false },
      { automountServiceAccountToken: true },
    ],
    [
      kind('v1', 'ResourceQuota', 'resourcequotas'),
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: meta('quota'),
        spec: { hard: { 'requests.cpu': '4000m', 'limits.memory': '8192Mi', pods: '20' } },
      },
      { spec: { hard: { pods: '2000' } } },
    ],
    [
      kind('v1', 'LimitRange', 'limitranges'),
      {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: meta('limits'),
        spec: {
          limits: [
            {
              type: 'Container',
              default: { cpu: '500m', memory: '512Mi' },
              defaultRequest: { cpu: '100m', memory: '0.5Gi' },
            },
          ],
        },
      },
      { spec: { limits: [{ type: 'Container', default: { cpu: '9' } }] } },
    ],
    [
      DEPLOYMENTS,
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta('app'), spec: { replicas: 2, selector, template } },
      { spec: { replicas: 0, template: { spec: { containers: [{ name: 'main', args: ['--evil'] }] } } } },
    ],
    [
      kind('apps/v1', 'StatefulSet', 'statefulsets'),
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: meta('base'),
        spec: { replicas: 1, serviceName: 'service', selector, template, volumeClaimTemplates: [claim] },
      },
      { spec: { replicas: 3 } },
    ],
    [
      kind('batch/v1', 'CronJob', 'cronjobs'),
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: meta('backup'),
        spec: {
          schedule: '17 3 * * *',
          concurrencyPolicy: 'Forbid',
          jobTemplate: {
            spec: { template: { metadata: { labels }, spec: { ...template.spec, restartPolicy: 'Never' } } },
          },
        },
      },
      { spec: { schedule: '* * * * *' } },
    ],
    [
      kind('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: meta('policy'),
        spec: {
          podSelector: {},
          policyTypes: ['Ingress', 'Egress'],
          ingress: [{ from: [{ podSelector: { matchLabels: labels } }], ports: [{ port: 8080 }] }],
          egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 53, protocol: 'UDP' }] }],
        },
      },
      { spec: { ingress: [{ from: [{ podSelector: { matchLabels: labels }, namespaceSelector: {} }] }] } },
    ],
    [
      kind('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: meta('budget'),
        spec: { maxUnavailable: 1, selector },
      },
      { spec: { selector: { matchLabels: { ...labels, more: 'm' } } } },
    ],
    [
      kind('networking.k8s.io/v1', 'Ingress', 'ingresses'),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: meta('route'),
        spec: {
          tls: [{ hosts: ['a.example.org'], secretName: 'tls' }],
          rules: [
            {
              host: 'a.example.org',
              http: {
                paths: [
                  { path: '/', pathType: 'Prefix', backend: { service: { name: 'service', port: { number: 80 } } } },
                ],
              },
            },
          ],
        },
      },
      { spec: { rules: [{ host: 'b.example.org' }] } },
    ],
  ];
}
