import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../../e2e/cluster/api-server.ts';
import { ApplyMemo, applyWhenChanged, whyApply } from './apply-when-changed.ts';
import { systemClock } from './clock.ts';
import type { KubeObject, Resource } from './cluster.ts';
import { loadClusterAccess } from './cluster-access.ts';
import { EVENTS, EventRecorder } from './event-recorder.ts';
import { KubeCluster } from './kube-cluster.ts';
import { NAMESPACES } from './testing/cluster-scenarios.ts';
import { recordingLog, testMetrics } from './testing/deps.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { ownedObjects } from './testing/owned-objects.ts';

const HASH = 'example.org/applied-hash';
const HOME = 'apply-home';

let server: ApiServer;
let proxy: FaultProxy;
let cluster: KubeCluster;

beforeAll(async () => {
  server = await startApiServer();
  proxy = new FaultProxy(await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath }));
  await proxy.start();
  cluster = new KubeCluster({ access: proxy.access, metrics: testMetrics().metrics, userAgent: 'apply-test' });
  await cluster.apply(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HOME } }, 'test');
});
afterAll(async () => {
  await cluster.close();
  await proxy.close();
  await server.stop();
});

/** A process of its own: nothing is remembered from the one before. */
function freshProcess() {
  const { metrics, value } = testMetrics();
  const deps = { cluster, fieldManager: 'me', hashAnnotation: HASH, memo: new ApplyMemo(), metrics };
  const bring = async (resource: Resource, desired: KubeObject) => {
    const live = await cluster.get({ resource, ...desired.metadata });
    return (await applyWhenChanged(deps, resource, desired, live)).outcome;
  };
  return { deps, bring, value };
}

/** An edit as `kubectl edit` makes it: a merge of `patch` under another manager, by force. */
async function editByHand(resource: Resource, object: KubeObject, patch: Record<string, unknown>): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const { metadata: extra = {}, ...rest } = patch as { metadata?: object };
  const identity = { name, ...(namespace !== undefined && { namespace }) };
  await cluster.apply(resource, { apiVersion, kind, metadata: { ...identity, ...extra }, ...rest }, 'kubectl');
}

describe('apply when changed on a real API server', () => {
  it('writes each kind once; a restarted process then sends no write at all', async () => {
    const objects = ownedObjects(HOME);
    const first = freshProcess();
    for (const [resource, object] of objects) expect(await first.bring(resource, object)).toBe('created');
    const second = freshProcess();
    const before = proxy.seen.length;
    for (const [resource, object] of objects) {
      const live = await cluster.get({ resource, ...object.metadata });
      const why = whyApply(second.deps, object, live);
      expect(why, `${resource.kind}: ${JSON.stringify(why)}`).toBeUndefined();
      expect(await second.bring(resource, object)).toBe('unchanged');
    }
    expect(proxy.seen.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(await second.value('applies_total', { outcome: 'no-op' })).toBe(0);
  });

  it('repairs what was changed by hand, and is calm again', async () => {
    const { bring } = freshProcess();
    for (const [resource, object, edit] of ownedObjects(HOME)) {
      if (edit === undefined) continue;
      await bring(resource, object);
      const before = await cluster.get({ resource, ...object.metadata });
      await editByHand(resource, object, edit);
      expect(await bring(resource, object), resource.kind).toBe('updated');
      const after = await cluster.get({ resource, ...object.metadata });
      const { metadata: _b, status: _s, ...contentBefore } = before ?? object;
      const { metadata: _a, status: _t, ...contentAfter } = after ?? object;
      expect(contentAfter, resource.kind).toEqual(contentBefore);
      expect(await bring(resource, object), resource.kind).toBe('unchanged');
    }
  });

  it('removes what is wished no more', async () => {
    const { bring } = freshProcess();
    const [resource, object] = ownedObjects(HOME).find(([{ kind }]) => kind === 'ConfigMap') ?? [];
    if (resource === undefined || object === undefined) throw new Error('no ConfigMap');
    await bring(resource, object);
    expect(await bring(resource, { ...object, data: { kept: 'k' } })).toBe('updated');
    expect((await cluster.get({ resource, ...object.metadata }))?.data).toEqual({ kept: 'k' });
  });

  it('learns from a no-op what the server stores in another form', async () => {
    const { bring } = freshProcess();
    const [resource, object] = ownedObjects(HOME).find(([{ kind }]) => kind === 'Deployment') ?? [];
    if (resource === undefined || object === undefined) throw new Error('no Deployment');
    const wish = structuredClone(object);
    wish.metadata.name = 'odd';
    // The server drops a false that is the default.
    const spec = wish.spec as { template: { spec: Record<string, unknown> } };
    spec.template.spec.hostNetwork = false;
    expect(await bring(resource, wish)).toBe('created');
    expect(await bring(resource, wish)).toBe('no-op');
    expect(await bring(resource, wish)).toBe('unchanged');
  });

  it('records an event that the server takes, about namespaced and cluster-scoped objects alike', async () => {
    const { metrics } = testMetrics();
    const { log, lines } = recordingLog();
    const reporter = { reportingController: 'example.org/test', reportingInstance: 'test-1' };
    const recorder = new EventRecorder({ cluster, clock: systemClock, log, metrics }, reporter);
    const namespace = await cluster.get({ resource: NAMESPACES, name: HOME });
    if (namespace === undefined) throw new Error('no namespace');
    recorder.recordEvent(namespace, { type: 'Normal', reason: 'Made', action: 'Make', note: 'made it' });
    const inside: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', namespace: HOME, uid: 'u' },
    };
    recorder.recordEvent(inside, { type: 'Warning', reason: 'Broke', action: 'Make', note: 'broke it' });
    await recorder.flush();
    expect(lines).toEqual([]);
    expect((await cluster.list(EVENTS, { namespace: 'default' })).map(({ note }) => note)).toContain('made it');
    expect((await cluster.list(EVENTS, { namespace: HOME })).map(({ note }) => note)).toEqual(['broke it']);
  });
});
