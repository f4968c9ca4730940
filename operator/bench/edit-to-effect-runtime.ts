/** The measured process of `edit-to-effect.ts`: one controller on the runtime, and nothing else. */
import { Registry } from 'prom-client';
import { ApplyMemo, applyWhenChanged } from '../src/runtime/apply-when-changed.ts';
import { systemClock } from '../src/runtime/clock.ts';
import type { Credentials } from '../src/runtime/cluster-access.ts';
import { Controller } from '../src/runtime/controller.ts';
import { KubeCluster } from '../src/runtime/kube-cluster.ts';
import { silentLog } from '../src/runtime/log.ts';
import { createRuntimeMetrics } from '../src/runtime/metrics.ts';
import { Reflector } from '../src/runtime/reflector.ts';
import { objectKey, Store } from '../src/runtime/store.ts';
import { CONFIG_MAPS, configMap } from '../src/runtime/testing/cluster-scenarios.ts';

/** Sent by the parent: where the API server is, and how many objects to wait for. */
export interface Start {
  server: string;
  credentials: Credentials;
  objects: number;
}

/** Sent to the parent: once when all is in sync, then once per edit. */
export interface Report {
  handlerMs: number;
  effectMs: number;
  heapMb: number;
  rssMb: number;
}

process.once('message', (start) => void run(start as Start));

async function run({ server, credentials, objects }: Start): Promise<void> {
  const metrics = createRuntimeMetrics(new Registry());
  const access = { server, credentials: async () => credentials };
  const cluster = new KubeCluster({ access, metrics, userAgent: 'bench-runtime' });
  const shared = { clock: systemClock, random: Math.random, log: silentLog, metrics };
  const reflect = (role: string) => {
    const selection = { namespace: 'default', labelSelector: `role=${role}` };
    return new Reflector({ source: cluster, ...shared }, { resource: CONFIG_MAPS, selection, store: new Store() });
  };
  const wishes = reflect('wish');
  const owned = reflect('owned');
  const deps = {
    cluster,
    fieldManager: 'bench-runtime',
    hashAnnotation: 'example.org/applied-hash',
    memo: new ApplyMemo(),
    metrics,
    onStored: (_: unknown, object: Parameters<Reflector['assume']>[0]) => owned.assume(object),
  };
  let ready = false;
  const controller = new Controller(shared, {
    name: 'bench',
    primary: wishes,
    owned: [{ reflector: owned, keyOf: ({ metadata }) => `default/${metadata.name.replace('owned-', '')}` }],
    async reconcile(key, signal) {
      const calledAt = process.hrtime.bigint();
      const wish = wishes.store.get(key);
      if (wish === undefined) return {};
      const { at = '' } = wish.data as { at?: string };
      const desired = configMap('default', `owned-${wish.metadata.name}`, { at }, { labels: { role: 'owned' } });
      const live = owned.store.get(objectKey(desired.metadata));
      const { outcome } = await applyWhenChanged(deps, CONFIG_MAPS, desired, live, signal);
      const since = (begin: bigint, end: bigint) => Number(end - begin) / 1e6;
      if (ready && outcome === 'updated')
        report({ handlerMs: since(BigInt(at), calledAt), effectMs: since(BigInt(at), process.hrtime.bigint()) });
      return {};
    },
  });
  const forEver = new AbortController().signal;
  for (const reflector of [wishes, owned]) void reflector.run(forEver);
  void controller.run(forEver);
  while (owned.store.size < objects) await new Promise((resolve) => setTimeout(resolve, 20));
  ready = true;
  report({ handlerMs: 0, effectMs: 0 });
}

function report(times: Pick<Report, 'handlerMs' | 'effectMs'>): void {
  if (times.effectMs === 0) globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
  process.send?.({ ...times, heapMb: megabytes(heapUsed), rssMb: megabytes(rss) } satisfies Report);
}
