import { Registry } from 'prom-client';
import { loadClusterAccess } from '../cluster-access.ts';
import { KubeCluster } from '../kube-cluster.ts';
import { createRuntimeMetrics } from '../metrics.ts';

/** A client of the API server that `kubeconfigPath` names, with metrics of its own. */
export async function realCluster(kubeconfigPath: string, requestDeadlineMs?: number): Promise<KubeCluster> {
  const access = await loadClusterAccess({ KUBECONFIG: kubeconfigPath });
  const metrics = createRuntimeMetrics(new Registry());
  return new KubeCluster({
    access,
    metrics,
    userAgent: 'runtime-test',
    ...(requestDeadlineMs && { requestDeadlineMs }),
  });
}
