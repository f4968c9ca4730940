/**
 * Measures the operator runtime against a real API server: `node operator/bench/edit-to-effect.ts [objects] [edits]`.
 * One process edits ConfigMaps one after the other; another, with nothing but the runtime in it, reconciles each into a
 * ConfigMap it owns. Told are the times from before the edit is sent to the call of the handler and to the answer to the
 * owned object's apply, and the memory of the second process with all objects in its store.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startApiServer } from '../../e2e/cluster/api-server.ts';
import { loadClusterAccess } from '../src/runtime/cluster-access.ts';
import { KubeCluster } from '../src/runtime/kube-cluster.ts';
import { CONFIG_MAPS, configMap } from '../src/runtime/testing/cluster-scenarios.ts';
import { testMetrics } from '../src/runtime/testing/deps.ts';
import type { Report, Start } from './edit-to-effect-runtime.ts';

const [objects = 1_000, edits = 500] = process.argv.slice(2).map(Number);
/** Objects made at the same time. */
const BATCH = 25;
/** Milliseconds between two edits: far less often than the runtime can keep up with, to measure latency and not a queue. */
const PAUSE_MS = 20;

const server = await startApiServer();
const access = await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath });
const cluster = new KubeCluster({ access, metrics: testMetrics().metrics, userAgent: 'bench' });
const runtime = fork(fileURLToPath(new URL('./edit-to-effect-runtime.ts', import.meta.url)), {
  execArgv: ['--expose-gc'],
  // Credentials hold buffers, which JSON would not carry.
  serialization: 'advanced',
});
try {
  const name = (number: number) => `object-${number % objects}`;
  const payload = 'x'.repeat(500);
  const labels = { role: 'wish' };
  const write = (number: number, at: string) =>
    cluster.apply(CONFIG_MAPS, configMap('default', name(number), { payload, at }, { labels }), 'bench');
  for (let from = 0; from < objects; from += BATCH)
    await Promise.all(Array.from({ length: Math.min(BATCH, objects - from) }, (_, n) => write(from + n, '')));

  let waiting: (report: Report) => void = () => {};
  runtime.on('message', (report) => waiting(report as Report));
  const next = () => new Promise<Report>((resolve) => (waiting = resolve));
  const began = performance.now();
  const { credentials, server: url } = access;
  runtime.send({ server: url, credentials: await credentials(), objects } satisfies Start);
  const ready = await next();
  console.log(
    `${objects} objects in sync and ${objects} owned ones applied after ${Math.round(performance.now() - began)} ms`,
  );
  console.log(`heap ${ready.heapMb} MB, RSS ${ready.rssMb} MB (both with ${2 * objects} objects in two stores)`);

  const handled: number[] = [];
  const effected: number[] = [];
  for (let edit = 0; edit < edits; edit++) {
    const report = next();
    await write(edit, String(process.hrtime.bigint()));
    const { handlerMs, effectMs } = await report;
    handled.push(handlerMs);
    effected.push(effectMs);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  for (const [what, times] of Object.entries({ handler: handled, effect: effected }))
    console.log(
      `edit -> ${what}: p50 ${percentile(times, 50)} ms, p99 ${percentile(times, 99)} ms, of ${times.length}`,
    );
} finally {
  runtime.kill();
  await cluster.close();
  await server.stop();
}

function percentile(times: readonly number[], percent: number): string {
  const sorted = [...times].sort((a, b) => a - b);
  return (sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0).toFixed(1);
}
