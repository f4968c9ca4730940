import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '@cloudfreedom/operator/runtime/cluster.ts';
import type { KubeCluster } from '@cloudfreedom/operator/runtime/kube-cluster.ts';
import { parseAllDocuments } from 'yaml';
import { startApiServer } from '../../../e2e/cluster/api-server.ts';
import { realCluster } from '../../../operator/src/runtime/testing/real-cluster.ts';
import { installDefinitions } from '../../../operator/src/testing/install-definitions.ts';
import { TENANTS } from '../kubernetes/tenant-resources.ts';

/** A real API server that knows our kinds, for one test file. */
export type TestCluster = {
  /** Of somebody who may what the chart lets the control plane do, and nothing else. */
  readonly kubeconfigPath: string;
  readonly cluster: KubeCluster;
  /** Applies a Tenant as Git or an engineer would: under another manager than ours. */
  readonly applyAs: (manager: string, name: string, spec: object) => Promise<KubeObject>;
  readonly tenant: (name: string) => Promise<KubeObject | undefined>;
  /** Writes a status as the operator does. */
  readonly report: (name: string, ready: boolean, reason: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};

const USER = 'the-control-plane';
const RBAC = 'rbac.authorization.k8s.io/v1';
const GOLDEN = join(import.meta.dirname, '../../../charts/platform/testdata/smallest/golden.yaml');

/** Starts it: some seconds, once the tools have been built. */
export async function startTestCluster(): Promise<TestCluster> {
  const server = await startApiServer();
  const cluster = await realCluster(server.kubeconfigPath);
  await installDefinitions(cluster);
  await allow(cluster, USER);
  const { apiVersion, kind } = TENANTS;
  const tenant = (name: string) => cluster.get({ resource: TENANTS, name });
  return {
    kubeconfigPath: server.kubeconfigFor(USER),
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

/** Gives a user the role that the chart gives the control plane. */
async function allow(cluster: KubeCluster, user: string): Promise<void> {
  const documents = parseAllDocuments(await readFile(GOLDEN, 'utf8')).map((each) => each.toJS() as KubeObject | null);
  const role = documents.find((each) => each?.kind === 'ClusterRole' && each.metadata.name.endsWith('-control-plane'));
  if (!role) throw new Error('the chart has no role for the control plane');
  const of = (kind: string, plural: string) => ({ apiVersion: RBAC, kind, plural, namespaced: false });
  await cluster.apply(of('ClusterRole', 'clusterroles'), role, 'helm');
  const { name } = role.metadata;
  const binding = {
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
  await cluster.apply(of('ClusterRoleBinding', 'clusterrolebindings'), binding, 'helm');
}
