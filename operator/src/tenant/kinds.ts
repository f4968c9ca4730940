import type { KubeObject, Resource } from '../runtime/cluster.ts';
import { API_VERSION } from './names.ts';

function resource(apiVersion: string, kind: string, plural: string, namespaced = true): Resource {
  return { apiVersion, kind, plural, namespaced };
}

/** The custom resources the operator reconciles. */
export const customKind = {
  tenant: resource(API_VERSION, 'Tenant', 'tenants', false),
  plan: resource(API_VERSION, 'Plan', 'plans', false),
  model: resource(API_VERSION, 'Model', 'models', false),
} as const;

/** The kinds a tenant consists of, in the order in which they are applied. */
export const ownedKind = {
  namespace: resource('v1', 'Namespace', 'namespaces', false),
  resourceQuota: resource('v1', 'ResourceQuota', 'resourcequotas'),
  limitRange: resource('v1', 'LimitRange', 'limitranges'),
  networkPolicy: resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  serviceAccount: resource('v1', 'ServiceAccount', 'serviceaccounts'),
  secret: resource('v1', 'Secret', 'secrets'),
  configMap: resource('v1', 'ConfigMap', 'configmaps'),
  persistentVolumeClaim: resource('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  service: resource('v1', 'Service', 'services'),
  statefulSet: resource('apps/v1', 'StatefulSet', 'statefulsets'),
  deployment: resource('apps/v1', 'Deployment', 'deployments'),
  cronJob: resource('batch/v1', 'CronJob', 'cronjobs'),
  job: resource('batch/v1', 'Job', 'jobs'),
  podDisruptionBudget: resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  ingress: resource('networking.k8s.io/v1', 'Ingress', 'ingresses'),
} as const;

/** Kinds that exist only where their maker is installed. */
export const optionalKind = {
  certificate: resource('cert-manager.io/v1', 'Certificate', 'certificates'),
  serviceMonitor: resource('monitoring.coreos.com/v1', 'ServiceMonitor', 'servicemonitors'),
} as const;

/** Kinds that are only looked at. */
export const observedKind = {
  pod: resource('v1', 'Pod', 'pods'),
  event: resource('v1', 'Event', 'events'),
} as const;

const byKind = new Map<string, Resource>(
  [...Object.values(ownedKind), ...Object.values(optionalKind), ...Object.values(customKind)].map((each) => [
    `${each.apiVersion}/${each.kind}`,
    each,
  ]),
);

/** The resource of an object that the operator made; a kind outside the lists above is a bug. */
export function resourceOf(object: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const found = byKind.get(`${object.apiVersion}/${object.kind}`);
  if (!found) throw new Error(`${object.apiVersion} ${object.kind} is no kind of a tenant's`);
  return found;
}

/** Tells an object from every other in the cluster: kind, namespace and name. */
export function identity(object: KubeObject): string {
  return `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
