import { describe, it } from 'vitest';
import { FakeCluster } from './fake-cluster.ts';
import { clusterScenarios, NAMESPACES } from './testing/cluster-scenarios.ts';

describe('the fake cluster, as the real one', () => {
  for (const { title, run } of clusterScenarios) {
    it(title, async () => {
      const cluster = new FakeCluster();
      await cluster.apply(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mine' } }, 'test');
      await run(cluster, 'mine');
    });
  }
});
