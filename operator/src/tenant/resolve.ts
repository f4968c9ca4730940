import { type PlanSpec, readPlan } from '@cloudfreedom/crds/plan.ts';
import type { Tenant, TenantSpec } from '@cloudfreedom/crds/tenant.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { claimedHosts, takenHost } from './hosts.ts';
import type { TenantInput } from './input.ts';
import { component, FIELD_MANAGER, namespaceName, objectName, TENANT_LABEL } from './names.ts';
import { quotaTooSmall } from './quota-check.ts';
import { type Refusal, refuse } from './refusal.ts';
import { resolveRouting } from './routing.ts';
import { boundToData, type GeneratedSecret, generatedKeys, generatedSecret } from './secrets.ts';
import { volumeClasses, volumeUnchangeable } from './volume-check.ts';
import type { OwnSecrets, SecretData, Wish } from './wish.ts';

/** A wish that can be met, the Secrets that must be created for it first, and what people should know about it. */
export interface Resolved {
  wish: Wish;
  toCreate: GeneratedSecret[];
  notes: string[];
}

/**
 * Looks everything up that a Tenant's objects follow from. Every reason why the wish cannot be met is found here, before
 * anything is written; what runs already is left as it is.
 */
export function resolve(input: TenantInput, tenant: Tenant): Resolved | Refusal {
  const { spec } = tenant;
  const hosts = claimedHosts(input.tenant, input.settings.baseDomain);
  const refusal = namespaceRefusal(input) ?? hostRefusal(input, hosts);
  if (refusal) return refusal;
  const plan = resolvePlan(input, spec);
  if ('reason' in plan) return plan;
  const routing = resolveRouting({ spec, plan, models: input.models, platformSecrets: input.platformSecrets });
  if ('reason' in routing) return routing;
  const database = externalDatabase(input, spec);
  if (typeof database === 'object') return database;
  const secrets = ownSecrets(input, database === undefined);
  if ('reason' in secrets) return secrets;
  const wish: Wish = {
    tenant: { name: tenant.metadata.name, uid: tenant.metadata.uid ?? '' },
    spec,
    plan,
    settings: input.settings,
    namespace: namespaceName(tenant.metadata.name),
    volumeClasses: volumeClasses(input.owned),
    hosts,
    routes: routing.routes,
    providerKeys: routing.providerKeys,
    secrets: secrets.secrets,
    externalDatabaseUrl: database,
    circumstances: {
      databasePrepared: databasePrepared(input.owned),
      hasServiceMonitors: input.has.serviceMonitors,
    },
  };
  return (
    volumeUnchangeable(wish, input.owned) ??
    quotaTooSmall(wish) ?? {
      wish,
      toCreate: secrets.toCreate,
      notes: routing.leftOut,
    }
  );
}

/** Whether a namespace of the tenant's name is the operator's and this tenant's: only such a one is ever touched. */
export function isOwnNamespace(namespace: KubeObject, tenant: string): boolean {
  const { labels = {} } = namespace.metadata;
  return labels['app.kubernetes.io/managed-by'] === FIELD_MANAGER && labels[TENANT_LABEL] === tenant;
}

function namespaceRefusal({ namespace, tenant }: TenantInput): Refusal | undefined {
  if (!namespace) return undefined;
  const { name, deletionTimestamp } = namespace.metadata;
  if (!isOwnNamespace(namespace, tenant.metadata.name)) {
    return refuse(
      'NamespaceTaken',
      `namespace "${name}" exists and is not this Tenant's: delete or rename whatever owns it, or name the Tenant otherwise`,
    );
  }
  if (deletionTimestamp === undefined) return undefined;
  return refuse('NamespaceTerminating', `namespace "${name}" is still being deleted: it is made again once it is gone`);
}

function hostRefusal({ tenant, settings, rivals }: TenantInput, hosts: readonly string[]): Refusal | undefined {
  const inside = hosts
    .slice(1)
    .find((host) => host === settings.baseDomain || host.endsWith(`.${settings.baseDomain}`));
  if (inside !== undefined) {
    return refuse(
      'InvalidSpec',
      `spec.customDomains: "${inside}" lies below the platform's own domain: use spec.hostname for a name there`,
    );
  }
  const taken = takenHost(tenant, hosts, rivals, settings.baseDomain);
  if (!taken) return undefined;
  return refuse(
    'HostnameTaken',
    `host name "${taken.host}" belongs to the older Tenant "${taken.by}": choose another spec.hostname or custom domain`,
  );
}

function resolvePlan({ plans }: TenantInput, spec: TenantSpec): PlanSpec | Refusal {
  const valid = plans.flatMap((object) => {
    const parsed = readPlan(object);
    return parsed.ok && object.metadata.deletionTimestamp === undefined ? [parsed.value] : [];
  });
  const found = valid.find(({ metadata }) => metadata.name === spec.plan);
  if (!found) {
    const names = valid.map(({ metadata }) => metadata.name).sort();
    return refuse(
      'PlanNotFound',
      `there is no valid Plan "${spec.plan}"; choose one of: ${names.join(', ') || 'none exist yet'}`,
    );
  }
  if (spec.budget.monthlyEur === undefined && found.spec.monthlyBudgetEur === undefined) {
    return refuse('BudgetMissing', `plan "${spec.plan}" states no budget: set spec.budget.monthlyEur`);
  }
  return found.spec;
}

/** The DATABASE_URL of an external database, nothing for a managed one, or why it cannot be used. */
function externalDatabase({ platformSecrets, owned }: TenantInput, spec: TenantSpec): string | undefined | Refusal {
  const managedExists = owned.some(
    ({ kind, metadata }) => kind === 'PersistentVolumeClaim' && metadata.name === objectName.postgresVolume,
  );
  const externalExists = owned.some(
    ({ kind, metadata }) => kind === 'Secret' && metadata.name === objectName.externalPostgres,
  );
  if (spec.postgres === undefined) {
    if (!externalExists || managedExists) return undefined;
    return refuse(
      'InvalidSpec',
      'spec.postgres: the database is an external one and cannot become a managed one: set spec.postgres.externalSecretName again',
    );
  }
  if (managedExists) {
    return refuse(
      'InvalidSpec',
      'spec.postgres: the database is a managed one and cannot become an external one: remove spec.postgres',
    );
  }
  const { externalSecretName: name } = spec.postgres;
  const secret = platformSecrets[name];
  if (!secret)
    return refuse(
      'SecretMissing',
      `spec.postgres names Secret "${name}", which the platform namespace lacks: create it with key "DATABASE_URL"`,
    );
  const url = secret.DATABASE_URL;
  if (!url)
    return refuse(
      'SecretKeyMissing',
      `secret "${name}" in the platform namespace has no value under key "DATABASE_URL": add it`,
    );
  if (!/^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')) {
    return refuse(
      'SecretKeyMissing',
      `key "DATABASE_URL" of Secret "${name}" must be a URL that begins with postgresql://`,
    );
  }
  return url;
}

/** The data of every generated Secret: what exists, or what is to be created. */
function ownSecrets(
  { owned, fresh }: TenantInput,
  managed: boolean,
): { secrets: OwnSecrets; toCreate: GeneratedSecret[] } | Refusal {
  const data: Partial<Record<GeneratedSecret, SecretData>> = {};
  const toCreate: GeneratedSecret[] = [];
  const dataExists = owned.some(
    ({ kind, metadata }) => kind === 'PersistentVolumeClaim' && metadata.name === objectName.postgresVolume,
  );
  const wanted = (Object.keys(generatedKeys) as GeneratedSecret[]).filter((each) => managed || each !== 'postgres');
  for (const each of wanted) {
    const { name } = generatedSecret[each];
    const live = owned.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === name);
    if (!live) {
      if (dataExists && boundToData.includes(each)) {
        return refuse(
          'SecretMissing',
          `secret "${name}" is gone although the database it belongs to exists: restore it from a copy; new values would lock everybody out`,
        );
      }
      data[each] = fresh[each];
      toCreate.push(each);
      continue;
    }
    const decoded = secretData(live);
    const lost = generatedKeys[each].find((key) => !decoded[key]);
    if (lost !== undefined) {
      return refuse(
        'SecretKeyMissing',
        `secret "${name}" has lost its key "${lost}": restore it from a copy; it is never made anew silently`,
      );
    }
    data[each] = decoded;
  }
  const { postgres, redis = {}, gatewayCredentials = {}, openWebUi = {}, oidcClient = {} } = data;
  return { secrets: { postgres, redis, gatewayCredentials, openWebUi, oidcClient }, toCreate };
}

/** The data of a Secret as text. */
export function secretData(secret: KubeObject): SecretData {
  const entries = Object.entries((secret.data ?? {}) as Record<string, string>);
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}

function databasePrepared(owned: readonly KubeObject[]): boolean {
  const chat = owned.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === component.openWebUi);
  const spec = (chat?.spec ?? {}) as { replicas?: number };
  const status = (chat?.status ?? {}) as { availableReplicas?: number };
  return (spec.replicas ?? 0) > 1 || (status.availableReplicas ?? 0) > 0;
}
