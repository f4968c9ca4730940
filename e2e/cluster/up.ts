/** `node e2e/cluster/up.ts`: brings the cluster up and prints the path of its kubeconfig. */
import { progress } from '../process/progress.ts';
import { bringUp } from './cluster.ts';

const { kubeconfigPath } = await bringUp({ say: progress('cluster') });
console.log(kubeconfigPath);
