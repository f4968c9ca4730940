import type { PlanSpec } from '@cloudfreedom/crds/plan.ts';
import type { TenantSpec } from '@cloudfreedom/crds/tenant.ts';
import type { ModelRoute } from './routing.ts';
import type { Settings } from './settings.ts';

/** The data of a Secret, decoded: key to text. */
export type SecretData = Record<string, string>;

/** The generated Secrets of a tenant, complete: what exists, or what is about to be created. */
export interface OwnSecrets {
  /** Absent where the database is external. */
  postgres: SecretData | undefined;
  redis: SecretData;
  gatewayCredentials: SecretData;
  openWebUi: SecretData;
  oidcClient: SecretData;
}

/** Facts of the running cluster that the desired objects must respect. */
export interface Circumstances {
  /** Whether a first pod of Open WebUI has brought the database up to date: before that, more than one would race. */
  databasePrepared: boolean;
  /** Kinds that only some clusters have. */
  hasServiceMonitors: boolean;
}

/** What is known of a tenant as soon as its spec could be read. */
export interface Outline {
  tenant: { name: string; uid: string };
  spec: TenantSpec;
  settings: Settings;
  namespace: string;
  /** StorageClass of each volume that exists, by name of its claim: a volume never moves to another. */
  volumeClasses: Record<string, string>;
}

/** Everything a tenant's objects follow from: parsed, resolved, without anything left to look up. */
export interface Wish extends Outline {
  plan: PlanSpec;
  /** Host names that lead to the chat; the first is the main one. */
  hosts: [string, ...string[]];
  /** Models the tenant may use, sorted by name. */
  routes: ModelRoute[];
  /** Provider keys by environment variable. */
  providerKeys: SecretData;
  secrets: OwnSecrets;
  /** DATABASE_URL of an external database. */
  externalDatabaseUrl: string | undefined;
  circumstances: Circumstances;
}
