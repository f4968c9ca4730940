import type { TenantStatus } from '@cloudfreedom/crds/tenant.ts';
import type { DataFate } from '../control-plane-client/control-plane.ts';
import type { TenantRegistration } from '../control-plane-client/shapes.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import type { Happening } from '../runtime/event-recorder.ts';
import type { SecretData } from './wish.ts';

/** One thing to do. Actions are carried out in the order in which they are listed. */
export type Action =
  | { do: 'setFinalizers'; finalizers: string[] }
  | { do: 'apply'; object: KubeObject; live: KubeObject | undefined }
  /** Makes a Secret that must not exist yet. */
  | { do: 'create'; object: KubeObject }
  /** Deletes exactly the object that was seen. */
  | { do: 'delete'; object: KubeObject }
  | { do: 'register'; registration: TenantRegistration }
  | { do: 'close'; data: DataFate }
  /** Makes a certificate for the hosts and puts it into the Secret. */
  | { do: 'issueCertificate'; authority: SecretData; hosts: [string, ...string[]]; secret: KubeObject };

/** What to do about one Tenant, as data. */
export interface Decision {
  actions: Action[];
  /** The status to be written; absent where the Tenant is about to vanish. */
  status: TenantStatus | undefined;
  /** When to look again although nothing may have changed. */
  requeueAfterMs: number | undefined;
  happenings: Happening[];
}
