import { Registry } from 'prom-client';
import type { ControlPlane } from '../control-plane-client/control-plane.ts';
import { createControllers } from '../controllers.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Cluster } from '../runtime/cluster.ts';
import { EventRecorder } from '../runtime/event-recorder.ts';
import type { Log } from '../runtime/log.ts';
import { createRuntimeMetrics, type RuntimeMetrics } from '../runtime/metrics.ts';
import { Reflector } from '../runtime/reflector.ts';
import type { WatchSource } from '../runtime/watch-source.ts';
import type { Settings } from '../tenant/settings.ts';
import { createWorld, reflectorsOf } from '../tenant/world.ts';

/** An operator as `main.ts` wires it, in this process, against any cluster. */
export interface TestOperator {
  metrics: RuntimeMetrics;
  registry: Registry;
  /** Resolves when nothing waits in any queue and nothing is under way for `quietMs`. */
  quiet(quietMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds between two looks at the queues. */
const POLL_MS = 20;
/** Milliseconds after which a test operator that does not come to rest is given up. */
const REST_TIMEOUT_MS = 30_000;

/** Starts the controllers and waits until every store holds its first list. */
export async function startTestOperator(options: {
  cluster: Cluster & WatchSource;
  controlPlane: ControlPlane;
  settings: Settings;
  log: Log;
}): Promise<TestOperator> {
  const { cluster, settings } = options;
  const registry = new Registry();
  const metrics = createRuntimeMetrics(registry, 'test');
  const shared = { ...options, clock: systemClock, random: Math.random, metrics };
  const world = createWorld(
    (resource, selection, store) => new Reflector({ ...shared, source: cluster }, { resource, selection, store }),
    { namespace: settings.platformNamespace, baseDomain: settings.baseDomain },
    { serviceMonitors: false, certificates: false },
  );
  const events = new EventRecorder(shared, {
    reportingController: 'cloudfreedom.de/operator',
    reportingInstance: 'test',
  });
  const controllers = createControllers({ ...shared, world, events });
  const stop = new AbortController();
  const running = [
    ...reflectorsOf(world).map((reflector) => reflector.run(stop.signal)),
    ...Object.values(controllers).map((controller) => controller.run(stop.signal, stop.signal)),
  ];
  for (const reflector of reflectorsOf(world)) await reflector.synced(stop.signal);

  const activity = async () => {
    const depth = (await metrics.queueDepth.get()).values.reduce((sum, { value }) => sum + value, 0);
    const done = (await metrics.reconcileSeconds.get()).values
      .filter(({ metricName }) => metricName?.endsWith('_count'))
      .reduce((sum, { value }) => sum + value, 0);
    return { depth, done };
  };
  return {
    metrics,
    registry,
    async quiet(quietMs = 250) {
      const deadline = Date.now() + REST_TIMEOUT_MS;
      let since = Date.now();
      let before = await activity();
      while (Date.now() - since < quietMs) {
        if (Date.now() > deadline) throw new Error('the operator does not come to rest');
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        const now = await activity();
        if (now.depth > 0 || now.done !== before.done) since = Date.now();
        before = now;
      }
    },
    async stop() {
      stop.abort(new Error('the test is over'));
      await Promise.allSettled(running);
      await events.flush();
    },
  };
}
