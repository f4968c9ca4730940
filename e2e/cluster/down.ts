/** `node e2e/cluster/down.ts`: takes the cluster down. */
import { progress } from '../process/progress.ts';
import { takeDown } from './cluster.ts';

await takeDown({ say: progress('cluster') });
