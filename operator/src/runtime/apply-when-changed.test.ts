import { describe, expect, it } from 'vitest';
import { ApplyMemo, applyWhenChanged, statusEquals, whyApply } from './apply-when-changed.ts';
import type { KubeObject, Resource } from './cluster.ts';
import { FakeCluster } from './fake-cluster.ts';
import { CONFIG_MAPS, configMap, DEPLOYMENTS, deployment } from './testing/cluster-scenarios.ts';
import { testMetrics } from './testing/deps.ts';

const HASH = 'example.org/applied-hash';

function setUp() {
  const cluster = new FakeCluster();
  const { metrics, value } = testMetrics();
  const deps = { cluster, fieldManager: 'me', hashAnnotation: HASH, memo: new ApplyMemo(), metrics };
  /** Brings `desired` about, as one reconcile would, and says what came of it. */
  const bring = async (resource: Resource, desired: KubeObject, memo = deps.memo) => {
    const live = await cluster.get({ resource, ...desired.metadata });
    return (await applyWhenChanged({ ...deps, memo }, resource, desired, live)).outcome;
  };
  return { cluster, deps, bring, value };
}

const app = (env: Record<string, string> = { A: '1' }) => deployment('default', 'app', 'image:1', env);
const APP = { resource: DEPLOYMENTS, namespace: 'default', name: 'app' };
/** The first container of a Deployment. */
function container(object: KubeObject): Record<string, unknown> {
  const spec = object.spec as { template: { spec: { containers: Record<string, unknown>[] } } };
  const [first] = spec.template.spec.containers;
  if (first === undefined) throw new Error('no container');
  return first;
}

describe('apply when changed', () => {
  it('creates, then leaves alone', async () => {
    const { bring, cluster } = setUp();
    expect(await bring(DEPLOYMENTS, app())).toBe('created');
    expect(await bring(DEPLOYMENTS, app())).toBe('unchanged');
    expect(cluster.writes).toHaveLength(1);
  });

  it('writes a changed wish', async () => {
    const { bring } = setUp();
    await bring(DEPLOYMENTS, app());
    expect(await bring(DEPLOYMENTS, app({ A: '2' }))).toBe('updated');
  });

  it('notices a field that is wished no more', async () => {
    const { bring, cluster } = setUp();
    await bring(DEPLOYMENTS, app({ A: '1', B: '2' }));
    expect(await bring(DEPLOYMENTS, app({ A: '1' }))).toBe('updated');
    const live = await cluster.get(APP);
    expect(live && container(live).env).toEqual([{ name: 'A', value: '1' }]);
  });

  it.each<[string, (object: KubeObject) => void]>([
    ['changes a value', (object) => Object.assign(container(object), { image: 'image:evil' })],
    ['removes a value', (object) => Reflect.deleteProperty(container(object), 'image')],
    ['changes an atomic list', (object) => Object.assign(container(object), { args: ['--serve', '--more'] })],
    ['changes a label', (object) => Object.assign(object.metadata, { labels: { app: 'other' } })],
    ['removes the hash', (object) => Object.assign(object.metadata, { annotations: {} })],
    [
      'adds to a selector, which changes as one',
      (object) => Object.assign(object.spec as object, { selector: { matchLabels: { app: 'app', more: 'm' } } }),
    ],
  ])('repairs an object when somebody %s', async (_, mutate) => {
    const { bring, cluster } = setUp();
    await bring(DEPLOYMENTS, app());
    const before = await cluster.get(APP);
    cluster.edit(APP, mutate);
    expect(await bring(DEPLOYMENTS, app())).toBe('updated');
    expect((await cluster.get(APP))?.spec).toEqual(before?.spec);
    expect((await cluster.get(APP))?.metadata.labels).toEqual(before?.metadata.labels);
  });

  it.each<[string, (object: KubeObject) => void]>([
    ['a label', (object) => Object.assign(object.metadata, { labels: { ...object.metadata.labels, theirs: 'x' } })],
    [
      'a variable',
      (object) =>
        Object.assign(container(object), {
          env: [
            { name: 'X', value: '9' },
            { name: 'A', value: '1' },
          ],
        }),
    ],
    ['a default', (object) => Object.assign(container(object), { imagePullPolicy: 'IfNotPresent' })],
    ['a status', (object) => Object.assign(object, { status: { readyReplicas: 1 } })],
  ])('leaves alone what others add: %s', async (_, mutate) => {
    const { bring, cluster } = setUp();
    await bring(DEPLOYMENTS, app());
    cluster.edit(APP, mutate);
    expect(await bring(DEPLOYMENTS, app())).toBe('unchanged');
  });

  it('applies what is right but was never applied by us, so that it can be taken away later', async () => {
    const { bring, cluster } = setUp();
    await bring(CONFIG_MAPS, configMap('default', 'a', { x: '1' }));
    const live = await cluster.get({ resource: CONFIG_MAPS, namespace: 'default', name: 'a' });
    const restored = {
      ...live,
      metadata: { ...live?.metadata, managedFields: [{ manager: 'velero', operation: 'Update' }] },
    };
    const { deps } = setUp();
    expect(whyApply(deps, configMap('default', 'a', { x: '1' }), restored as KubeObject)).toEqual({
      reason: 'not-ours',
    });
  });

  it('knows quantities whatever their form, and no others', async () => {
    const { bring, cluster, deps } = setUp();
    const limited = (cpu: string, memory: string) => {
      const object = app();
      container(object).resources = { limits: { cpu, memory } };
      return object;
    };
    await bring(DEPLOYMENTS, limited('1000m', '1024Mi'));
    cluster.edit(APP, (object) =>
      Object.assign(container(object), { resources: { limits: { cpu: '1', memory: '1Gi' } } }),
    );
    expect(await bring(DEPLOYMENTS, limited('1000m', '1024Mi'))).toBe('unchanged');
    cluster.edit(APP, (object) =>
      Object.assign(container(object), { resources: { limits: { cpu: '2', memory: '1Gi' } } }),
    );
    const live = await cluster.get(APP);
    expect(whyApply(deps, limited('1000m', '1024Mi'), live)).toMatchObject({
      reason: 'drift',
      differences: [{ path: expect.stringContaining('.resources.limits.cpu'), desired: '1000m', live: '2' }],
    });
  });

  it('learns from the server that another form is the same, and then stays calm', async () => {
    const { bring, cluster, value } = setUp();
    const wish = configMap('default', 'a', { span: '60s' });
    await bring(CONFIG_MAPS, wish);
    // A server that stores every span in its own form, as some kinds do.
    const apply = cluster.apply.bind(cluster);
    const rewrite = (object: KubeObject): KubeObject => ({ ...object, data: { span: '1m0s' } });
    cluster.apply = (resource, object, manager) => apply(resource, rewrite(object), manager);
    cluster.edit({ resource: CONFIG_MAPS, namespace: 'default', name: 'a' }, (object) => {
      object.data = { span: '1m0s' };
    });
    await bring(CONFIG_MAPS, wish);
    expect(await bring(CONFIG_MAPS, wish)).toBe('no-op');
    expect(await bring(CONFIG_MAPS, wish)).toBe('unchanged');
    cluster.edit({ resource: CONFIG_MAPS, namespace: 'default', name: 'a' }, (object) => {
      object.data = { span: '2m0s' };
    });
    expect(await bring(CONFIG_MAPS, wish)).toBe('updated');
    expect(await value('applies_total', { outcome: 'no-op' })).toBe(1);
  });

  it('tells of every answer, so that stores need not wait for the watch', async () => {
    const { deps } = setUp();
    const stored: string[] = [];
    const onStored = (_: Resource, { metadata }: KubeObject) => stored.push(metadata.name);
    await applyWhenChanged({ ...deps, onStored }, CONFIG_MAPS, configMap('default', 'a', {}), undefined);
    expect(stored).toEqual(['a']);
  });

  it('compares a status field for field', () => {
    expect(statusEquals({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
    expect(statusEquals({ a: 1, old: 2 }, { a: 1 })).toBe(false);
    expect(statusEquals(undefined, {})).toBe(true);
  });
});
