import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../../e2e/cluster/api-server.ts';
import { loadClusterAccess } from '../runtime/cluster-access.ts';
import { KubeCluster } from '../runtime/kube-cluster.ts';
import { silentLog } from '../runtime/log.ts';
import { createRuntimeMetrics } from '../runtime/metrics.ts';
import { FakeControlPlane } from '../testing/fake-control-plane.ts';
import { installDefinitions } from '../testing/install-definitions.ts';
import { seedPlatform } from '../testing/seed-platform.ts';
import { settings } from '../testing/tenant-input.ts';
import { tenantScenarios } from '../testing/tenant-scenarios.ts';
import { startTestOperator, type TestOperator } from '../testing/test-operator.ts';

/** Milliseconds of silence after which the operator counts as at rest: one pass of a new tenant takes less. */
const QUIET_MS = 1_500;

let server: ApiServer;
let cluster: KubeCluster;
let operator: TestOperator;
const controlPlane = new FakeControlPlane();
const start = () => startTestOperator({ cluster, controlPlane, settings, log: silentLog });

beforeAll(async () => {
  server = await startApiServer();
  const metrics = createRuntimeMetrics(new Registry());
  const access = await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath });
  cluster = new KubeCluster({ access, metrics, userAgent: 'operator-test' });
  await installDefinitions(cluster);
  await seedPlatform(cluster);
  operator = await start();
});
afterAll(async () => {
  await operator?.stop();
  await cluster?.close();
  await server?.stop();
});

describe('the operator on a real API server', () => {
  const rig = {
    get cluster() {
      return cluster;
    },
    controlPlane,
    quiet: () => operator.quiet(QUIET_MS),
    async restart() {
      await operator.stop();
      operator = await start();
    },
  };
  for (const [number, { title, run }] of tenantScenarios.entries()) it(title, () => run(rig, `tenant-${number}`));

  it('never sent an apply that changed nothing', async () => {
    const { values } = await operator.metrics.applies.get();
    expect(values.filter(({ labels, value }) => labels.outcome === 'no-op' && value > 0)).toEqual([]);
  });
});
