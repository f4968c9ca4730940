import type { KubeObject } from '@cloudfreedom/operator/runtime/cluster.ts';
import type { KubeCluster } from '@cloudfreedom/operator/runtime/kube-cluster.ts';
import { startApiServer } from '../../../e2e/cluster/api-server.ts';
import { realCluster } from '../../../operator/src/runtime/testing/real-cluster.ts';
import { installDefinitions } from '../../../operator/src/testing/install-definitions.ts';
import { TENANTS } from '../kubernetes/tenant-resources.ts';

/** A real API server that knows our kinds, for one test file. */
export type TestCluster = {
  readonly kubeconfigPath: string;
  readonly cluster: KubeCluster;
  /** Applies a Tenant as Git or an engineer would: under another manager than ours. */
  readonly applyAs: (manager: string, name: string, spec: object) => Promise<KubeObject>;
  readonly tenant: (name: string) => Promise<KubeObject | undefined>;
  /** Writes a status as the operator does. */
  readonly report: (name: string, ready: boolean, reason: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Starts it: some seconds, once the tools have been built. */
export async function startTestCluster(): Promise<TestCluster> {
  const server = await startApiServer();
  const cluster = await realCluster(server.kubeconfigPath);
  await installDefinitions(cluster);
  const { apiVersion, kind } = TENANTS;
  const tenant = (name: string) => cluster.get({ resource: TENANTS, name });
  return {
    kubeconfigPath: server.kubeconfigPath,
    cluster,
    tenant,
    applyAs: (manager, name, spec) => cluster.apply(TENANTS, { apiVersion, kind, metadata: { name }, spec }, manager),
    report: async (name, ready, reason) => {
      const observedGeneration = (await tenant(name))?.metadata.generation ?? 1;
      const lastTransitionTime = '2026-11-20T10:00:00Z';
      const status = ready ? 'True' : 'False';
      const condition = { type: 'Ready', status, reason, message: '', observedGeneration, lastTransitionTime };
      const state = { observedGeneration, conditions: [condition], url: `https://${name}.example.test` };
      await cluster.applyStatus(
        TENANTS,
        { apiVersion, kind, metadata: { name }, status: state },
        'cloudfreedom-operator',
      );
    },
    stop: async () => {
      await cluster.close();
      await server.stop();
    },
  };
}
