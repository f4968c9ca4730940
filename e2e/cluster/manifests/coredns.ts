import { DNS_ADDRESS } from '../control-plane-arguments.ts';
import { accountWithRights, type Manifest, restrictedContainer } from './manifest.ts';

const namespace = 'kube-system';
const labels = { 'k8s-app': 'kube-dns' };

/** Answers for Services and pods; every other name does not exist, said at once, since nothing is there to ask. */
const CORE_FILE = `cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    health :8080
    ready :8181
    kubernetes {
        pods insecure
        ttl 5
    }
    cache 5
    loadbalance
}
.:53 {
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`;

/** Cluster DNS under the names and labels that NetworkPolicies expect of it. */
export function coreDns(image: string): Manifest[] {
  return [
    ...accountWithRights('coredns', namespace, [
      { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ]),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'coredns', namespace }, data: { Corefile: CORE_FILE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace, labels },
      spec: {
        clusterIP: DNS_ADDRESS,
        selector: labels,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'coredns', namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: 'coredns',
            priorityClassName: 'system-cluster-critical',
            dnsPolicy: 'Default',
            // An unprivileged user may then listen on port 53, in this pod alone.
            securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] },
            containers: [
              {
                name: 'coredns',
                image,
                imagePullPolicy: 'IfNotPresent',
                args: ['-conf', '/etc/coredns/Corefile'],
                ports: [
                  { name: 'dns', containerPort: 53, protocol: 'UDP' },
                  { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
                ],
                readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 2 },
                livenessProbe: { httpGet: { path: '/health', port: 8080 }, initialDelaySeconds: 30 },
                resources: { requests: { cpu: '20m', memory: '40Mi' }, limits: { memory: '170Mi' } },
                securityContext: restrictedContainer,
                volumeMounts: [{ name: 'configuration', mountPath: '/etc/coredns', readOnly: true }],
              },
            ],
            volumes: [{ name: 'configuration', configMap: { name: 'coredns' } }],
          },
        },
      },
    },
  ];
}
