import { afterEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './fake-cluster.ts';
import { KubeError } from './kube-error.ts';
import { REFLECTOR_LIMITS, Reflector } from './reflector.ts';
import { Store } from './store.ts';
import { CONFIG_MAPS, configMap } from './testing/cluster-scenarios.ts';
import { noJitter, recordingLog, testMetrics } from './testing/deps.ts';
import { ManualClock, settle } from './testing/manual-clock.ts';
import { type ScriptedPage, ScriptedSource, type ScriptedWatch, stored } from './testing/scripted-source.ts';
import type { WatchSource } from './watch-source.ts';

const stop = new AbortController();
afterEach(settle);

/** A reflector of ConfigMaps on `source`, and what it tells. */
function reflect(source: WatchSource) {
  const clock = new ManualClock();
  const { metrics, value } = testMetrics();
  const { log, lines } = recordingLog();
  const store = new Store();
  const reflector = new Reflector({ source, clock, random: noJitter, log, metrics }, { resource: CONFIG_MAPS, store });
  const told: string[] = [];
  reflector.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.name} ${object.metadata.uid}`));
  return { reflector, store, clock, told, value, lines };
}

/** A reflector that runs on a script. */
function onScript(pages: ScriptedPage[], watches: ScriptedWatch[] = []) {
  const source = new ScriptedSource({ pages, watches });
  const set = reflect(source);
  const run = set.reflector.run(stop.signal);
  return { source, run, ...set };
}

const page = (resourceVersion: string, ...items: ReturnType<typeof stored>[]) => ({ items, resourceVersion });
const refused = (status: number, retryAfterMs?: number) =>
  new KubeError({ status, reason: `R${status}`, message: 'no', ...(retryAfterMs !== undefined && { retryAfterMs }) });
const cut = new KubeError({ status: 0, reason: 'Unreachable', message: 'connection cut' });
const expired = new KubeError({ status: 410, reason: 'Expired', message: 'too old' });
const malformed = new KubeError({ status: 0, reason: 'MalformedAnswer', message: 'not JSON' });

describe('the reflector', () => {
  it('mirrors a list, then what the watch tells', async () => {
    const { store, told, reflector, source } = onScript(
      [page('10', stored('a', 'u1', '5'))],
      [
        {
          events: [
            { type: 'added', object: stored('b', 'u2', '11') },
            { type: 'modified', object: stored('a', 'u1', '12') },
            { type: 'deleted', object: stored('b', 'u2', '13') },
          ],
          end: 'hang',
        },
      ],
    );
    expect(reflector.hasSynced).toBe(false);
    await reflector.synced(stop.signal);
    await settle();
    expect(told).toEqual(['added a u1', 'added b u2', 'updated a u1', 'deleted b u2']);
    expect([...store.keys()]).toEqual(['home/a']);
    expect(source.asked).toEqual(['list limit=500 continue=none', 'watch from=10 for=450']);
  });

  it('pitfall: any error ends the informer for good. Here each is tried again, for ever, ever more slowly', async () => {
    const failures = [500, 503, 403, 401, 404, 429].map((status) => refused(status));
    const { clock, source, reflector } = onScript([...failures, cut, malformed, new Error('a bug'), page('10')]);
    for (let minute = 0; minute < 10; minute++) await clock.advance(60_000);
    expect(reflector.hasSynced).toBe(true);
    expect(source.asked.filter((request) => request.startsWith('list'))).toHaveLength(10);
  });

  it('pitfall: errors are tried again without jitter. Here half of every wait is random, from the first on', async () => {
    const waits = [0, 0.999].map(async (random) => {
      const source = new ScriptedSource({ pages: [refused(500), page('10')] });
      const clock = new ManualClock();
      const { metrics } = testMetrics();
      const deps = { source, clock, random: () => random, log: recordingLog().log, metrics };
      const reflector = new Reflector(deps, { resource: CONFIG_MAPS, store: new Store() });
      void reflector.run(stop.signal);
      let waitedMs = 0;
      for (; !reflector.hasSynced; waitedMs += 10) await clock.advance(10);
      return waitedMs;
    });
    expect(await Promise.all(waits)).toEqual([250, 500]);
  });

  it('stays away as long as a 429 asks, at the list and at the watch', async () => {
    const { clock, source } = onScript([refused(429, 20_000), page('10')], [{ end: refused(429, 40_000) }]);
    await clock.advance(19_999);
    expect(source.asked).toHaveLength(1);
    await clock.advance(1);
    expect(source.asked).toHaveLength(3);
    await clock.advance(39_999);
    expect(source.asked).toHaveLength(3);
    await clock.advance(1);
    expect(source.asked.at(-1)).toBe('watch from=10 for=450');
  });

  it('goes on from the last version seen when the connection is cut, without a new list', async () => {
    const { clock, source } = onScript(
      [page('10')],
      [{ events: [{ type: 'added', object: stored('a', 'u1', '11') }], end: cut }],
    );
    await clock.advance(1_000);
    expect(source.asked).toEqual(['list limit=500 continue=none', 'watch from=10 for=450', 'watch from=11 for=450']);
  });

  it('pitfall: no bookmarks. Here they carry the version on, so that a quiet watch does not expire', async () => {
    const { clock, source } = onScript(
      [page('10')],
      [{ events: [{ type: 'bookmark', resourceVersion: '99' }], end: cut }],
    );
    await clock.advance(1_000);
    expect(source.asked.at(-1)).toBe('watch from=99 for=450');
  });

  it.each<[string, ScriptedWatch]>([
    ['an ERROR line that says 410', { events: [{ type: 'error', error: expired }], end: 'hang' }],
    ['an ERROR line that says something else', { events: [{ type: 'error', error: refused(500) }], end: 'hang' }],
    ['a line that cannot be read', { end: malformed }],
    ['a 410 at the opening', { end: expired }],
    ['a 404, as when the kind was deleted', { end: refused(404) }],
  ])('pitfall: in-stream errors are swallowed. Here %s leads to a new list', async (_, watch) => {
    const { clock, source, store } = onScript(
      [page('10', stored('a', 'u1', '5')), page('20', stored('b', 'u2', '15'))],
      [watch],
    );
    await clock.advance(1_000);
    expect(source.asked.slice(2)).toEqual(['list limit=500 continue=none', 'watch from=20 for=450']);
    expect([...store.keys()]).toEqual(['home/b']);
  });

  it('lists again at once after the first 410: it is no failure of the server', async () => {
    const { source } = onScript([page('10'), page('20')], [{ end: expired }]);
    await settle();
    expect(source.asked.at(-1)).toBe('watch from=20 for=450');
  });

  it('pitfall: delete and recreate in a gap is told as an update. Here it is deleted, then added', async () => {
    const { told, clock, value } = onScript(
      [page('10', stored('a', 'u1', '5'), stored('b', 'u2', '6')), page('20', stored('a', 'u9', '15'))],
      [{ end: expired }],
    );
    await clock.advance(1_000);
    expect(told.slice(2)).toEqual(['deleted b u2', 'deleted a u1', 'added a u9']);
    expect(await value('missed_deletes_total', { kind: 'ConfigMap' })).toBe(2);
  });

  it('begins a list anew when a page expires, and asks for everything at once when that goes on', async () => {
    const first = { ...page('10', stored('a', 'u1', '1')), continueToken: 'next' };
    const { source, store } = onScript([
      first,
      expired,
      first,
      expired,
      page('30', stored('a', 'u1', '1'), stored('b', 'u2', '2')),
    ]);
    await settle();
    expect(source.asked.slice(0, 5)).toEqual([
      'list limit=500 continue=none',
      'list limit=500 continue=next',
      'list limit=500 continue=none',
      'list limit=500 continue=next',
      'list limit=none continue=none',
    ]);
    expect([...store.keys()]).toEqual(['home/a', 'home/b']);
  });

  it('pitfall: a half-open connection hangs silently. Here silence ends the watch, and it goes on where it was', async () => {
    const { clock, source, value } = onScript(
      [page('10')],
      [{ events: [{ type: 'added', object: stored('a', 'u1', '11') }], end: 'hang' }],
    );
    await clock.advance(REFLECTOR_LIMITS.inactivityMs - 1);
    expect(source.asked).toHaveLength(2);
    await clock.advance(1_000);
    expect(source.asked.at(-1)).toBe('watch from=11 for=450');
    expect(source.open).toBe(1);
    expect(await value('watch_restarts_total', { reason: 'Silent' })).toBe(1);
  });

  it('pitfall: every watch is cut after 30 s. Here one lasts as long as the server lets it, and ends without a fault', async () => {
    const source = new ScriptedSource({ pages: [page('10')] });
    const bookmarks = {
      listPage: source.listPage.bind(source),
      async *watch(...args: Parameters<WatchSource['watch']>) {
        source.asked.push('watch');
        for (let minute = 1; minute <= 5; minute++) {
          await new Promise<void>((resolve) => clock.after(60_000, resolve));
          args[2].throwIfAborted();
          yield { type: 'bookmark' as const, resourceVersion: String(10 + minute) };
        }
      },
    };
    const { clock, reflector, value, lines } = reflect(bookmarks);
    void reflector.run(stop.signal);
    for (let minute = 0; minute < 12; minute++) await clock.advance(60_000);
    expect(source.asked.filter((request) => request === 'watch')).toHaveLength(3);
    expect(await value('watch_restarts_total', { reason: 'ended' })).toBe(2);
    expect(lines).toEqual([]);
  });

  it('does not spin when the server ends every watch at once', async () => {
    const { clock, source } = onScript(
      [page('10')],
      Array.from({ length: 100 }, () => ({ end: 'orderly' as const })),
    );
    await clock.advance(10_000);
    expect(source.asked.length).toBeLessThan(8);
  });

  it('pitfall: a second start opens a second watch. Here it throws', async () => {
    const { reflector, source } = onScript([page('10')]);
    await settle();
    await expect(reflector.run(stop.signal)).rejects.toThrow('runs already');
    expect(source.open).toBe(1);
  });

  it('pitfall: a handler that throws loses the event for all. Here the others hear of it, and the store has it', async () => {
    const { reflector, store, told, lines } = reflect(
      new ScriptedSource({ pages: [page('10', stored('a', 'u1', '5'))] }),
    );
    reflector.subscribe(() => {
      throw new Error('a bug in a handler');
    });
    const late: string[] = [];
    reflector.subscribe(({ object }) => late.push(object.metadata.name));
    void reflector.run(stop.signal);
    await settle();
    expect([told, late, store.size]).toEqual([['added a u1'], ['a'], 1]);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('pitfall: managedFields cost three quarters of the memory. Here only the managers’ names are kept', async () => {
    const fieldsV1 = { 'f:data': { 'f:x': {} } };
    const object = stored('a', 'u1', '5');
    object.metadata.managedFields = [
      { manager: 'm', operation: 'Apply', time: 'now', fieldsType: 'FieldsV1', fieldsV1 },
    ];
    const { store } = onScript([page('10', object)]);
    await settle();
    expect(store.get('home/a')?.metadata.managedFields).toEqual([{ manager: 'm', operation: 'Apply' }]);
  });

  it('tells a late subscriber of what is there', async () => {
    const { reflector } = onScript([page('10', stored('a', 'u1', '5'))]);
    await settle();
    const heard: string[] = [];
    const unsubscribe = reflector.subscribe(({ type, object }) => heard.push(`${type} ${object.metadata.name}`));
    unsubscribe();
    expect(heard).toEqual(['added a']);
  });

  it('ends its watch when it is stopped', async () => {
    const ended = new AbortController();
    const source = new ScriptedSource({ pages: [page('10')] });
    const { reflector } = reflect(source);
    const run = reflector.run(ended.signal);
    await settle();
    expect(source.open).toBe(1);
    ended.abort(new Error('enough'));
    await run;
    expect(source.open).toBe(0);
  });
});

describe('an assumed object', () => {
  it('is there at once, is not told again by the watch, and older lines do not undo it', async () => {
    const lines = Promise.withResolvers<void>();
    const source: WatchSource = {
      listPage: async () => page('10', stored('a', 'u1', '5')),
      async *watch() {
        await lines.promise;
        yield { type: 'modified', object: stored('a', 'u1', '11') };
        yield { type: 'modified', object: stored('a', 'u1', '12') };
        await new Promise(() => {});
      },
    };
    const { reflector, store, told } = reflect(source);
    void reflector.run(stop.signal);
    await settle();
    const versions: unknown[] = [];
    reflector.subscribe(({ object }) => versions.push(object.metadata.resourceVersion));
    reflector.assume(stored('a', 'u1', '12'));
    expect(store.get('home/a')?.metadata.resourceVersion).toBe('12');
    lines.resolve();
    await settle();
    expect(versions).toEqual(['5', '12']);
    expect(told).toEqual(['added a u1', 'updated a u1']);
  });

  it('is ignored when the watch has come past its version, for it may be gone since', async () => {
    const { reflector, store } = onScript(
      [page('10')],
      [{ events: [{ type: 'bookmark', resourceVersion: '20' }], end: 'hang' }],
    );
    await settle();
    reflector.assume(stored('a', 'u1', '12'));
    expect(store.size).toBe(0);
  });

  it('outlives lines and lists from before it', async () => {
    const cluster = new FakeCluster();
    const { reflector, store } = reflect(cluster);
    void reflector.run(stop.signal);
    await settle();
    cluster.intercept = () => Promise.resolve();
    const first = await cluster.apply(CONFIG_MAPS, configMap('default', 'a', { x: '1' }), 'test');
    const second = await cluster.apply(CONFIG_MAPS, configMap('default', 'a', { x: '2' }), 'test');
    reflector.assume(second);
    await settle();
    expect(store.get('default/a')?.data).toEqual({ x: '2' });
    reflector.assume(first);
    expect(store.get('default/a')?.data).toEqual({ x: '2' });
  });
});
