import { afterEach, beforeEach, describe, it } from 'vitest';
import { FakeCluster } from '../runtime/fake-cluster.ts';
import { silentLog } from '../runtime/log.ts';
import { FakeControlPlane } from '../testing/fake-control-plane.ts';
import { seedPlatform } from '../testing/seed-platform.ts';
import { settings } from '../testing/tenant-input.ts';
import { tenantScenarios } from '../testing/tenant-scenarios.ts';
import type { Rig } from '../testing/tenant-steps.ts';
import { startTestOperator, type TestOperator } from '../testing/test-operator.ts';

describe('the operator on a fake cluster', () => {
  let rig: Rig;
  let operator: TestOperator;

  beforeEach(async () => {
    const cluster = new FakeCluster();
    const controlPlane = new FakeControlPlane();
    await seedPlatform(cluster);
    const start = () => startTestOperator({ cluster, controlPlane, settings, log: silentLog });
    operator = await start();
    rig = {
      cluster,
      controlPlane,
      quiet: () => operator.quiet(),
      async restart() {
        await operator.stop();
        operator = await start();
      },
    };
    await operator.quiet();
  });
  afterEach(() => operator.stop());

  for (const { title, run } of tenantScenarios) it(title, { timeout: 60_000 }, () => run(rig, 'acme'));
});
