import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../../e2e/cluster/api-server.ts';
import { until } from '../../../e2e/process/until.ts';
import { systemClock } from './clock.ts';
import { loadClusterAccess } from './cluster-access.ts';
import { KubeCluster } from './kube-cluster.ts';
import { createRuntimeMetrics } from './metrics.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { Store } from './store.ts';
import { CONFIG_MAPS, configMap, NAMESPACES } from './testing/cluster-scenarios.ts';
import { recordingLog } from './testing/deps.ts';
import { FaultProxy, type Seen } from './testing/fault-proxy.ts';
import { realCluster } from './testing/real-cluster.ts';

const QUICK = { timeoutMs: 15_000, intervalMs: 10 };
/** Impatient limits, so that a test need not wait for minutes. */
const LIMITS = { pageSize: 3, inactivityMs: 1_000, retryBaseMs: 20, retryCapMs: 100, shortestWatchMs: 10 };

const isList = ({ method, watch, path }: Seen) => method === 'GET' && !watch && path.endsWith('/configmaps');
const isWatch = ({ watch }: Seen) => watch;
const expiredStatus = JSON.stringify({
  kind: 'Status',
  apiVersion: 'v1',
  code: 410,
  reason: 'Expired',
  message: 'old',
});

let server: ApiServer;
let direct: KubeCluster;
let scene: Awaited<ReturnType<typeof openScene>>;
let scenes = 0;

beforeAll(async () => {
  server = await startApiServer();
  direct = await realCluster(server.kubeconfigPath);
});
afterAll(async () => {
  await direct.close();
  await server.stop();
});
beforeEach(async () => {
  scene = await openScene();
});
afterEach(() => scene.close());

/** A namespace of its own, and a reflector of its ConfigMaps that sees the API server through a fault proxy. */
async function openScene() {
  const namespace = `scene-${++scenes}`;
  await direct.apply(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, 'test');
  const proxy = new FaultProxy(await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath }));
  await proxy.start();
  const registry = new Registry();
  const metrics = createRuntimeMetrics(registry, 'test');
  const through = new KubeCluster({ access: proxy.access, metrics, userAgent: 'test', requestDeadlineMs: 1_000 });
  const stop = new AbortController();
  const told: string[] = [];
  const runs: Promise<void>[] = [];
  return {
    namespace,
    proxy,
    told,
    /** Starts a reflector and waits until it has synced. */
    async reflect(options: Partial<ReflectorOptions> = {}): Promise<Store> {
      const store = new Store();
      const deps = { source: through, clock: systemClock, random: Math.random, log: recordingLog().log, metrics };
      const target = { resource: CONFIG_MAPS, selection: { namespace }, store };
      const { limits, ...rest } = options;
      const reflector = new Reflector(deps, { ...target, ...rest, limits: { ...LIMITS, ...limits } });
      reflector.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.name}`));
      runs.push(reflector.run(stop.signal));
      await reflector.synced(AbortSignal.timeout(QUICK.timeoutMs));
      return store;
    },
    write: (name: string, data: Record<string, string> = {}) =>
      direct.apply(CONFIG_MAPS, configMap(namespace, name, data), 'test'),
    async remove(name: string): Promise<void> {
      const ref = { resource: CONFIG_MAPS, namespace, name };
      const uid = (await direct.get(ref))?.metadata.uid;
      if (uid !== undefined) await direct.delete(ref, { uid });
    },
    /** Waits until the store holds exactly these names. */
    holds: (store: Store, ...names: string[]) =>
      until(
        `the store to hold ${names}`,
        () =>
          [...store.values()]
            .map(({ metadata }) => metadata.name)
            .sort()
            .join() === names.join() || undefined,
        QUICK,
      ),
    watching: () => until('an open watch', () => proxy.openWatches > 0 || undefined, QUICK),
    restarts: async (reason: string) => {
      const { values } = await metrics.watchRestarts.get();
      return values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
    },
    missed: async () => (await metrics.missedDeletes.get()).values[0]?.value ?? 0,
    async close() {
      stop.abort(new Error('the scene is over'));
      await Promise.all(runs);
      await through.close();
      await proxy.close();
    },
  };
}

describe('the reflector on a real API server behind a proxy that misbehaves', () => {
  it('pages through a list and follows what happens then', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await scene.write(name);
    const store = await scene.reflect();
    expect(scene.proxy.seen.filter(isList)).toHaveLength(3);
    await scene.remove('b');
    await scene.write('h');
    await scene.holds(store, 'a', 'c', 'd', 'e', 'f', 'g', 'h');
    expect(scene.told.slice(7)).toEqual(['deleted b', 'added h']);
    const managed = store.get(`${scene.namespace}/h`)?.metadata.managedFields;
    expect(managed).toEqual([{ manager: 'test', operation: 'Apply' }]);
  });

  it('sees identities alone when it asks for metadata only', async () => {
    await scene.write('a', { secret: 'x' });
    const store = await scene.reflect({ metadataOnly: true });
    await scene.write('b', { secret: 'y' });
    await scene.holds(store, 'a', 'b');
    for (const object of store.values()) {
      expect(object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
      expect(object.data).toBeUndefined();
    }
  });

  it.each([500, 503, 429, 401, 403])(
    'pitfall: a %s ends the informer. Here it is tried again, at the list and at the watch',
    async (answer) => {
      scene.proxy.fail(isList, { answer }, 3);
      scene.proxy.fail(isWatch, { answer }, 3);
      await scene.write('a');
      const store = await scene.reflect();
      await scene.write('b');
      await scene.holds(store, 'a', 'b');
      expect(await scene.restarts(`HTTP ${answer}`)).toBe(6);
    },
  );

  it('pitfall: ECONNRESET ends the informer. Here it is tried again, at the list and at the watch', async () => {
    scene.proxy.fail(isList, 'cut', 3);
    scene.proxy.fail(isWatch, 'cut', 3);
    const store = await scene.reflect();
    await scene.write('a');
    await scene.holds(store, 'a');
    expect(await scene.restarts('Unreachable')).toBe(6);
  });

  it('honours the Retry-After of a 429', async () => {
    scene.proxy.fail(isList, { answer: 429, headers: { 'retry-after': '1' } });
    const began = performance.now();
    await scene.reflect();
    expect(performance.now() - began).toBeGreaterThan(990);
  });

  it('ends a list that hangs at its deadline, and tries it again', async () => {
    scene.proxy.fail(isList, 'hang');
    await scene.reflect();
    expect(await scene.restarts('DeadlineExceeded')).toBe(1);
  });

  it('loses nothing when a watch is cut in the middle of a line', async () => {
    const store = await scene.reflect();
    await scene.watching();
    scene.proxy.fail(isWatch, 'cut', 2);
    scene.proxy.cutWatches();
    await scene.write('a');
    await scene.write('b');
    await scene.remove('a');
    await scene.holds(store, 'b');
    expect(scene.told).toEqual(['added a', 'added b', 'deleted a']);
  });

  it('pitfall: a half-open connection hangs silently. Here silence ends it, and nothing is lost', async () => {
    const store = await scene.reflect();
    await scene.watching();
    scene.proxy.freezeWatches();
    await scene.write('a');
    await scene.holds(store, 'a');
    expect(await scene.restarts('Silent')).toBe(1);
  });

  it('pitfall: a watch has no end and no bookmarks. Here it asks for both, and its end is orderly', async () => {
    await scene.reflect({ limits: { watchSeconds: 1, inactivityMs: 10_000 } });
    await until('an orderly end', async () => (await scene.restarts('ended')) >= 1 || undefined, QUICK);
    const [first, second] = scene.proxy.seen.filter(isWatch);
    expect(first?.query.get('allowWatchBookmarks')).toBe('true');
    expect(['1', '2']).toContain(first?.query.get('timeoutSeconds'));
    // The bookmark at the end moved the version on, though nothing of ours had changed.
    expect(Number(second?.query.get('resourceVersion'))).toBeGreaterThanOrEqual(
      Number(first?.query.get('resourceVersion')),
    );
    expect(scene.proxy.seen.filter(isList)).toHaveLength(1);
  });

  it.each([
    ['an ERROR line of 410', `{"type":"ERROR","object":${expiredStatus}}`],
    ['an ERROR line of 500', '{"type":"ERROR","object":{"kind":"Status","code":500,"message":"no"}}'],
    ['a malformed line', '{"type":"ADDED","object":'],
    ['a line of an unknown type', '{"type":"WHAT","object":{"metadata":{"name":"x"}}}'],
    ['a line without an object', '{"type":"ADDED"}'],
  ])('pitfall: in-stream errors are swallowed. Here %s leads to a new list', async (_, line) => {
    const store = await scene.reflect();
    await scene.watching();
    scene.proxy.say(line);
    await until('a second list', () => scene.proxy.seen.filter(isList).length > 1 || undefined, QUICK);
    await scene.write('a');
    await scene.holds(store, 'a');
  });

  it('pitfall: delete and recreate in a gap is told as an update. Here it is deleted, then added', async () => {
    await scene.write('a', { life: '1' });
    await scene.write('b');
    const store = await scene.reflect();
    await scene.watching();
    scene.proxy.freezeWatches();
    await scene.remove('a');
    await scene.write('a', { life: '2' });
    await scene.remove('b');
    scene.proxy.fail(isWatch, { answer: 410, body: expiredStatus });
    scene.proxy.say(`{"type":"ERROR","object":${expiredStatus}}`);
    await scene.holds(store, 'a');
    expect(store.get(`${scene.namespace}/a`)?.data).toEqual({ life: '2' });
    expect(scene.told).toEqual(['added a', 'added b', 'deleted b', 'deleted a', 'added a']);
    expect(await scene.missed()).toBe(2);
  });

  it('pitfall: trailing DELETED events may be dropped. Here the next list finds them, and counts them', async () => {
    await scene.write('a');
    const store = await scene.reflect();
    await scene.watching();
    scene.proxy.passLine = (line) => !line.includes('"DELETED"');
    await scene.remove('a');
    await scene.write('b');
    await scene.holds(store, 'a', 'b');
    scene.proxy.say(`{"type":"ERROR","object":${expiredStatus}}`);
    await scene.holds(store, 'b');
    expect(await scene.missed()).toBe(1);
  });

  it('pitfall: paging may expire half-way. Here the list begins anew, and at last asks for everything at once', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await scene.write(name);
    scene.proxy.fail(({ query }) => query.has('continue'), { answer: 410, body: expiredStatus }, 2);
    const store = await scene.reflect();
    await scene.holds(store, 'a', 'b', 'c', 'd', 'e');
    expect(scene.proxy.seen.filter(isList).map(({ query }) => query.get('limit'))).toEqual(['3', '3', '3', '3', null]);
  });

  it('pitfall: a second start opens a second watch. Here one watch is open, whatever happened before', async () => {
    await scene.reflect();
    for (let round = 0; round < 5; round++) {
      await scene.watching();
      scene.proxy.cutWatches();
      await until('the cut to be seen', () => scene.proxy.seen.filter(isWatch).length > round + 1 || undefined, QUICK);
    }
    await scene.watching();
    expect(scene.proxy.openWatches).toBe(1);
  });
});
