import { createHash } from 'node:crypto';

/** The API group and version of CloudFreedom's custom resources. */
export const API_VERSION = 'cloudfreedom.de/v1alpha1';
/** Under this name the operator owns fields of the objects it applies. */
export const FIELD_MANAGER = 'cloudfreedom-operator';
/** Holds a Tenant back until its deletion policy has been carried out. */
export const FINALIZER = 'cloudfreedom.de/tenant';
/** On every owned object: the name of the Tenant. */
export const TENANT_LABEL = 'cloudfreedom.de/tenant';
/** On every owned object: which part of the tenant it belongs to. */
export const COMPONENT_LABEL = 'app.kubernetes.io/component';
/** On the Namespace: the UID of the Tenant it was made for, or adopted by. */
export const TENANT_UID_ANNOTATION = 'cloudfreedom.de/tenant-uid';
/** On a Namespace whose Tenant is gone and whose data was kept; the value is the deletion policy that kept it. */
export const RETAINED_ANNOTATION = 'cloudfreedom.de/retained';
/** On every applied object: a hash of what was applied, so that a field taken out of the wish is noticed. */
export const APPLIED_HASH_ANNOTATION = 'cloudfreedom.de/applied-hash';
/** On pod templates: changes when the mounted configuration does, so that pods follow it. */
export const CONFIG_CHECKSUM_ANNOTATION = 'cloudfreedom.de/config-checksum';
/** On pod templates: changes when a Secret the pod reads does. */
export const SECRETS_CHECKSUM_ANNOTATION = 'cloudfreedom.de/secrets-checksum';

/** Selects every object the operator owns. */
export const OWNED_SELECTOR = `app.kubernetes.io/managed-by=${FIELD_MANAGER}`;

/** Longest name of a Namespace, and of a label's value. */
export const LABEL_LENGTH_LIMIT = 63;
/** Characters of a long tenant name that stay readable in its namespace's name. */
const KEPT_NAME_LENGTH = 47;

/** The parts of a tenant; each is also the name of its Service, its workload and its ServiceAccount. */
export const component = {
  postgres: 'postgres',
  redis: 'redis',
  liteLlm: 'litellm',
  openWebUi: 'open-webui',
  backup: 'postgres-backup',
  chatData: 'chat-data',
} as const;

/** Names of the objects in a tenant's namespace that are not simply their component's. */
export const objectName = {
  quota: 'tenant',
  limitRange: 'tenant',
  config: 'litellm-config',
  gatewayCredentials: 'gateway-credentials',
  oidcClient: 'oidc-client',
  providerKeys: 'provider-keys',
  externalPostgres: 'external-postgres',
  tls: 'tls',
  ingress: 'tenant',
  backupVolume: 'postgres-backup',
  finalBackup: 'final-backup',
  postgresVolume: 'postgres-data',
  redisVolume: 'redis-data',
} as const;

/** Port numbers of the Services and of the containers behind them. */
export const port = { postgres: 5432, redis: 6379, liteLlm: 4000, openWebUi: 8080, controlPlane: 8080 } as const;

/** The namespace of a tenant: readable where it fits, else cut and told apart by a hash of the whole name. */
export function namespaceName(tenant: string): string {
  const plain = `tenant-${tenant}`;
  if (plain.length <= LABEL_LENGTH_LIMIT) return plain;
  const kept = tenant.slice(0, KEPT_NAME_LENGTH).replace(/-+$/, '');
  return `tenant-${kept}-${createHash('sha256').update(tenant).digest('hex').slice(0, 8)}`;
}

/** Labels of an owned object. */
export function labels(tenant: string, part: string): Record<string, string> {
  return {
    'app.kubernetes.io/managed-by': FIELD_MANAGER,
    'app.kubernetes.io/part-of': 'cloudfreedom',
    [COMPONENT_LABEL]: part,
    [TENANT_LABEL]: tenant,
  };
}

/**
 * The environment variable in which LiteLLM finds the key of one deployment. Two deployments whose names only differ in
 * punctuation would share it, so `taken` lets the later one be told apart.
 */
export function providerKeyVariable(model: string, deployment: string, taken: ReadonlySet<string>): string {
  const plain = `PROVIDER_KEY_${`${model}-${deployment}`.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  if (!taken.has(plain)) return plain;
  return `${plain}_${createHash('sha256').update(`${model}/${deployment}`).digest('hex').slice(0, 8).toUpperCase()}`;
}
