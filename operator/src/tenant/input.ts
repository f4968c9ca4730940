import type { KnownTenant } from '../control-plane-client/control-plane.ts';
import type { ApplyDeps } from '../runtime/apply-when-changed.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import type { GeneratedSecret } from './secrets.ts';
import type { Settings } from './settings.ts';
import type { SecretData } from './wish.ts';

/** What the control plane answered when asked for the tenant. */
export type Registered =
  | { answer: 'known'; tenant: KnownTenant }
  | { answer: 'unknown' }
  | { answer: 'unreachable'; message: string };

/** The part of applying that decides whether an object must be written at all. */
export type ApplyKnowledge = Pick<ApplyDeps, 'fieldManager' | 'hashAnnotation' | 'memo'>;

/** Everything a decision about one Tenant may depend on. Nothing in it is ever changed. */
export interface TenantInput {
  /** Milliseconds since the epoch. */
  now: number;
  settings: Settings;
  /** How applied objects are recognised as such. */
  applying: ApplyKnowledge;
  tenant: KubeObject;
  plans: readonly KubeObject[];
  models: readonly KubeObject[];
  /** Other Tenants that claim one of this one's host names. */
  rivals: readonly KubeObject[];
  /** Secrets of the platform namespace that Models, Tenants or settings name. */
  platformSecrets: Readonly<Record<string, SecretData>>;
  /** The namespace of this tenant's name, whoever owns it. */
  namespace: KubeObject | undefined;
  /** Objects in that namespace that carry the Tenant's and the operator's labels. */
  owned: readonly KubeObject[];
  /** Pods in that namespace that carry the Tenant's label. */
  pods: readonly KubeObject[];
  registered: Registered;
  /** Fresh random data for Secrets that do not exist yet. */
  fresh: Record<GeneratedSecret, SecretData>;
  /** Optional kinds this cluster has. */
  has: { serviceMonitors: boolean; certificates: boolean };
}
