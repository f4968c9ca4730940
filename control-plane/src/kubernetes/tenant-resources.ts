import { apiVersion } from '@cloudfreedom/crds/common.ts';
import { systemClock } from '@cloudfreedom/operator/runtime/clock.ts';
import type { KubeObject, Resource } from '@cloudfreedom/operator/runtime/cluster.ts';
import { type ClusterAccess, loadClusterAccess } from '@cloudfreedom/operator/runtime/cluster-access.ts';
import { KubeCluster } from '@cloudfreedom/operator/runtime/kube-cluster.ts';
import { createRuntimeMetrics } from '@cloudfreedom/operator/runtime/metrics.ts';
import { Reflector } from '@cloudfreedom/operator/runtime/reflector.ts';
import { type Change, Store } from '@cloudfreedom/operator/runtime/store.ts';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

/** Milliseconds one call of a person waits for the API server. */
const REQUEST_DEADLINE_MS = 10_000;
const USER_AGENT = 'cloudfreedom-control-plane';

/** The kind that portal and API write. */
export const TENANTS: Resource = { apiVersion, kind: 'Tenant', plural: 'tenants', namespaced: false };

/** How the API server is reached: by the pod's service account, not at all, or by the kubeconfig at this path. */
export type KubernetesSetting = 'in-cluster' | 'off' | (string & {});

/** The Tenant resources of the cluster. Whatever the API server refuses is thrown as a `KubeError`. */
export type TenantResources = {
  /** One Tenant as it is stored now, with everybody's fields. */
  readonly get: (name: string) => Promise<KubeObject | undefined>;
  /** Applies without force: a field that somebody else holds stays theirs, and is a conflict. */
  readonly apply: (tenant: KubeObject, manager: string) => Promise<KubeObject>;
  /** Asks for the deletion of exactly this Tenant; the operator carries out what its policy says. */
  readonly delete: (name: string, uid: string) => Promise<void>;
  /** All Tenants as the watch knows them, without their fields' holders; undefined until it has listed them once. */
  readonly known: () => readonly KubeObject[] | undefined;
  /** Hears of every change of a Tenant, and of what is there already. @returns how to stop */
  readonly subscribe: (hear: (change: Change) => void) => () => void;
  /** How many listen at the moment. */
  readonly listeners: () => number;
  readonly stop: () => Promise<void>;
};

/** Opens the way to the API server and keeps watching Tenants. @returns undefined where the setting is `off` */
export async function openTenantResources(
  setting: KubernetesSetting,
  log: Logger,
  registry: Registry,
): Promise<TenantResources | undefined> {
  if (setting === 'off') return undefined;
  const metrics = createRuntimeMetrics(registry, 'cloudfreedom_kubernetes');
  const access = await accessOf(setting);
  const cluster = new KubeCluster({ access, metrics, userAgent: USER_AGENT, requestDeadlineMs: REQUEST_DEADLINE_MS });
  const reflector = new Reflector(
    { source: cluster, clock: systemClock, random: Math.random, log, metrics },
    { resource: TENANTS, store: new Store() },
  );
  let listeners = 0;
  const end = new AbortController();
  const mirroring = reflector.run(end.signal);
  return {
    get: (name) => cluster.get({ resource: TENANTS, name }),
    apply: (tenant, manager) => cluster.applyGently(TENANTS, tenant, manager),
    delete: (name, uid) => cluster.delete({ resource: TENANTS, name }, { uid }),
    known: () => (reflector.hasSynced ? [...reflector.store.values()] : undefined),
    subscribe: (hear) => {
      const unsubscribe = reflector.subscribe(hear);
      listeners += 1;
      return () => {
        unsubscribe();
        listeners -= 1;
      };
    },
    listeners: () => listeners,
    stop: async () => {
      end.abort(new Error('the control plane stops'));
      await mirroring;
      await cluster.close();
    },
  };
}

function accessOf(setting: string): Promise<ClusterAccess> {
  if (setting !== 'in-cluster') return loadClusterAccess({ KUBECONFIG: setting });
  const { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = process.env;
  return loadClusterAccess({ KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT });
}
