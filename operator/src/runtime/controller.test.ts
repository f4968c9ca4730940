import { describe, expect, it } from 'vitest';
import type { KubeObject, Resource } from './cluster.ts';
import { Controller, type ControllerOptions, type Reconcile } from './controller.ts';
import { FakeCluster } from './fake-cluster.ts';
import { KubeError } from './kube-error.ts';
import { Reflector } from './reflector.ts';
import { Store } from './store.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment } from './testing/cluster-scenarios.ts';
import { noJitter, recordingLog, testMetrics } from './testing/deps.ts';
import { ManualClock, settle } from './testing/manual-clock.ts';

const OWNER = 'example.org/owner';

/** A controller of ConfigMaps that own Deployments by a label, on a fake cluster. */
function setUp(reconcile: Reconcile = async () => ({}), options: Partial<ControllerOptions> = {}) {
  const cluster = new FakeCluster();
  const clock = new ManualClock();
  const { metrics, value } = testMetrics();
  const { log } = recordingLog();
  const shared = { clock, random: noJitter, log, metrics };
  const reflect = (resource: Resource) =>
    new Reflector({ source: cluster, ...shared }, { resource, store: new Store() });
  const primary = reflect(CONFIG_MAPS);
  const children = reflect(DEPLOYMENTS);
  const seen: string[] = [];
  const controller = new Controller(shared, {
    name: 'test',
    primary,
    owned: [{ reflector: children, keyOf: ({ metadata }) => metadata.labels?.[OWNER] }],
    reconcile: async (key, signal) => {
      seen.push(key);
      return reconcile(key, signal);
    },
    ...options,
  });
  const stop = new AbortController();
  const abort = new AbortController();
  const start = async () => {
    for (const reflector of [primary, children]) void reflector.run(stop.signal);
    const run = controller.run(stop.signal, abort.signal);
    await settle();
    return run;
  };
  const write = async (object: KubeObject) => {
    const resource = object.kind === 'ConfigMap' ? CONFIG_MAPS : DEPLOYMENTS;
    await cluster.apply(resource, object, 'test');
    await settle();
  };
  return { cluster, clock, controller, primary, children, seen, start, stop, abort, write, value };
}

const primaryObject = (name: string, data = {}) => configMap('default', name, data);
function childOf(name: string, owner: string): KubeObject {
  const child = deployment('default', name, 'image:1', {});
  child.metadata.labels = { ...child.metadata.labels, [OWNER]: owner };
  return child;
}

describe('the controller', () => {
  it('reconciles what is there at the start, and every primary that changes or goes', async () => {
    const { seen, start, write, cluster } = setUp();
    await write(primaryObject('a'));
    void start();
    await settle();
    expect(seen).toEqual(['default/a']);
    await write(primaryObject('a', { x: '1' }));
    await write(primaryObject('b'));
    cluster.kubectlDelete({ resource: CONFIG_MAPS, namespace: 'default', name: 'a' });
    await settle();
    expect(seen).toEqual(['default/a', 'default/a', 'default/b', 'default/a']);
  });

  it('does not work before every store has synced', async () => {
    const { seen, start, write, cluster, clock } = setUp();
    await write(primaryObject('a'));
    cluster.intercept = ({ verb, kind }) => {
      if (verb === 'list' && kind === 'Deployment') throw new KubeError({ status: 500, reason: 'X', message: 'no' });
    };
    void start();
    await settle();
    expect(seen).toEqual([]);
    cluster.intercept = () => {};
    await clock.advance(1_000);
    expect(seen).toEqual(['default/a']);
  });

  it('finds the primary of an owned object by its label, and both when it moves', async () => {
    const { seen, start, write } = setUp();
    void start();
    await write(childOf('child', 'default/a'));
    await write(childOf('child', 'default/b'));
    await write(deployment('default', 'stranger', 'image:1', {}));
    expect(seen).toEqual(['default/a', 'default/a', 'default/b']);
  });

  it('maps an object to any number of primaries', async () => {
    const { children, ...rest } = setUp();
    const mapped = setUp(undefined, { owned: [] });
    expect(rest.seen).toEqual([]);
    const both = new Controller(
      { clock: mapped.clock, random: noJitter, log: recordingLog().log, metrics: testMetrics().metrics },
      {
        name: 'mapped',
        primary: mapped.primary,
        mapped: [{ reflector: mapped.children, keysOf: () => ['default/x', 'default/y'] }],
        reconcile: async (key) => {
          mapped.seen.push(`mapped ${key}`);
          return {};
        },
      },
    );
    void mapped.start();
    void both.run(mapped.stop.signal);
    await mapped.write(childOf('child', 'nobody'));
    expect(mapped.seen).toEqual(['mapped default/x', 'mapped default/y']);
    expect(children.hasSynced).toBe(false);
  });

  it('tries a failed key again after its backoff, and never before the server’s Retry-After', async () => {
    let failures = 0;
    const { seen, start, write, clock, value } = setUp(async () => {
      failures++;
      if (failures === 1) throw new Error('first');
      if (failures === 2) throw new KubeError({ status: 429, reason: 'Busy', message: 'later', retryAfterMs: 30_000 });
      return {};
    });
    await write(primaryObject('a'));
    void start();
    await settle();
    await clock.advance(374);
    expect(seen).toHaveLength(1);
    await clock.advance(1);
    expect(seen).toHaveLength(2);
    await clock.advance(29_999);
    expect(seen).toHaveLength(2);
    await clock.advance(1);
    expect(seen).toHaveLength(3);
    await clock.advance(300_000);
    expect(seen).toHaveLength(3);
    expect(await value('reconcile_errors_total')).toBe(2);
  });

  it('comes back when a reconcile asks for it', async () => {
    const { seen, start, write, clock } = setUp(async () => (seen.length < 3 ? { requeueAfterMs: 5_000 } : {}));
    await write(primaryObject('a'));
    void start();
    await settle();
    await clock.advance(10_000);
    expect(seen).toHaveLength(3);
  });

  it('looks at everything again at every resync', async () => {
    const { seen, start, write, clock } = setUp(undefined, { resyncPeriodMs: 60_000 });
    await write(primaryObject('a'));
    await write(primaryObject('b'));
    void start();
    await settle();
    await clock.advance(63_000);
    expect(seen).toEqual(['default/a', 'default/b', 'default/a', 'default/b']);
  });

  it('works on several keys at once, and on one key once at a time', async () => {
    let running = 0;
    let most = 0;
    const { start, write, clock, seen } = setUp(
      async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => clock.after(1_000, resolve));
        running--;
        return {};
      },
      { workers: 2 },
    );
    for (const name of ['a', 'b', 'c']) await write(primaryObject(name));
    void start();
    await settle();
    await write(primaryObject('a', { x: '1' }));
    expect([seen, most]).toEqual([['default/a', 'default/b'], 2]);
    await clock.advance(2_000);
    expect([seen.length, most]).toEqual([4, 2]);
  });

  it('puts an edit before the many keys of the first list', async () => {
    const { start, write, clock, seen } = setUp(
      async () => {
        await new Promise<void>((resolve) => clock.after(1_000, resolve));
        return {};
      },
      { workers: 1 },
    );
    for (let n = 0; n < 50; n++) await write(primaryObject(`old-${n}`));
    void start();
    await settle();
    await write(primaryObject('edited'));
    await clock.advance(1_000);
    expect(seen.at(-1)).toBe('default/edited');
  });

  it('ends a reconcile that takes too long, and tries it again', async () => {
    const reasons: unknown[] = [];
    const { start, write, clock, seen } = setUp(
      (_, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            reasons.push(String(signal.reason));
            reject(signal.reason);
          }),
        ),
      { reconcileDeadlineMs: 5_000 },
    );
    await write(primaryObject('a'));
    void start();
    await settle();
    await clock.advance(6_000);
    expect(seen).toHaveLength(2);
    expect(reasons).toEqual(['Error: not done within 5000 ms']);
  });

  it('looks at everything when a change cannot be mapped, so that nothing is lost', async () => {
    const { start, write, seen, value } = setUp(undefined, { primaryKeyOf: ({ metadata }) => metadata.name });
    const broken = setUp(undefined, { owned: [] });
    expect(seen).toEqual([]);
    void start();
    await write(primaryObject('a'));
    expect(seen).toEqual(['a']);
    const controller = new Controller(
      { clock: broken.clock, random: noJitter, log: recordingLog().log, metrics: testMetrics().metrics },
      {
        name: 'broken',
        primary: broken.primary,
        mapped: [
          {
            reflector: broken.children,
            keysOf: () => {
              throw new Error('a bug');
            },
          },
        ],
        reconcile: async (key) => {
          broken.seen.push(`again ${key}`);
          return {};
        },
      },
    );
    await broken.write(primaryObject('b'));
    void broken.start();
    void controller.run(broken.stop.signal);
    await settle();
    broken.seen.length = 0;
    await broken.write(childOf('child', 'x'));
    expect(broken.seen).toEqual(['again default/b']);
    expect(await value('mapper_errors_total')).toBe(0);
  });

  it('looks at everything once a full queue has emptied', async () => {
    const { start, write, seen, value } = setUp(undefined, { maxQueuedKeys: 2, workers: 1 });
    for (const name of ['a', 'b', 'c', 'd']) await write(primaryObject(name));
    void start();
    await settle();
    expect(new Set(seen)).toEqual(new Set(['default/a', 'default/b', 'default/c', 'default/d']));
    expect(await value('queue_refused_total')).toBeGreaterThan(0);
  });

  it('when stopped lets the reconcile under way end, and begins no other', async () => {
    let finish = () => {};
    let cut = false;
    const { start, write, seen, stop } = setUp(
      (_, signal) =>
        new Promise((resolve) => {
          finish = () => resolve({});
          signal.addEventListener('abort', () => {
            cut = true;
          });
        }),
      { workers: 1 },
    );
    for (const name of ['a', 'b']) await write(primaryObject(name));
    let ended = false;
    const run = start().then(() => {
      ended = true;
    });
    await settle();
    stop.abort(new Error('stop'));
    await settle();
    expect([ended, cut]).toEqual([false, false]);
    finish();
    await run;
    expect(seen).toEqual(['default/a']);
  });

  it('when leadership is lost cuts the reconcile under way', async () => {
    const { start, write, abort } = setUp(
      (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    await write(primaryObject('a'));
    const run = start();
    await settle();
    abort.abort(new Error('leadership lost'));
    await run;
  });
});
