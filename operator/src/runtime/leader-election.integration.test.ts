import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../../../e2e/cluster/api-server.ts';
import { until } from '../../../e2e/process/until.ts';
import { systemClock } from './clock.ts';
import { loadClusterAccess } from './cluster-access.ts';
import { KubeCluster } from './kube-cluster.ts';
import { isInvalid } from './kube-error.ts';
import { LEASES, LeaderElection } from './leader-election.ts';
import { silentLog } from './log.ts';
import { testMetrics } from './testing/deps.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { realCluster } from './testing/real-cluster.ts';

/** A tenth of what production uses, in whole seconds where the API wants them. */
const TIMES = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 300 };
const QUICK = { timeoutMs: 15_000, intervalMs: 10 };
/** A lease that outlasts the test's patience: whoever follows within it was handed the lead. */
const LONG = { leaseDurationMs: 2 * QUICK.timeoutMs, renewDeadlineMs: QUICK.timeoutMs, retryPeriodMs: 2_000 };

let server: ApiServer;
let direct: KubeCluster;
const stops: AbortController[] = [];
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startApiServer();
  direct = await realCluster(server.kubeconfigPath);
});
afterAll(async () => {
  for (const stop of stops) stop.abort(new Error('the tests are over'));
  await Promise.all(closers.map((close) => close()));
  await direct.close();
  await server.stop();
});

/** Contends for the lease `name` as `identity`, through a proxy of its own. */
async function contend(name: string, identity: string, times = TIMES) {
  const proxy = new FaultProxy(await loadClusterAccess({ KUBECONFIG: server.kubeconfigPath }));
  await proxy.start();
  const { metrics } = testMetrics();
  const cluster = new KubeCluster({ access: proxy.access, metrics, userAgent: identity });
  const deps = { cluster, clock: systemClock, random: Math.random, log: silentLog, metrics };
  const election = new LeaderElection(deps, { namespace: 'default', name, identity, ...times });
  const stop = new AbortController();
  stops.push(stop);
  const state = { leading: false, begunAt: 0, endedAt: 0 };
  const result = election.run(stop.signal, async (leading) => {
    Object.assign(state, { leading: true, begunAt: performance.now() });
    await new Promise((resolve) => leading.addEventListener('abort', resolve));
    Object.assign(state, { leading: false, endedAt: performance.now() });
  });
  closers.push(async () => {
    await result;
    await cluster.close();
    await proxy.close();
  });
  return { proxy, state, stop, result };
}

const leads = (who: { state: { leading: boolean } }) => until('a leader', () => who.state.leading || undefined, QUICK);
const ends = (who: { state: { leading: boolean } }) => until('its end', () => !who.state.leading || undefined, QUICK);

describe('leader election on a real API server', () => {
  it('pitfall: a Lease with plain dates is refused and nobody leads. Here the server takes it', async () => {
    const spec = { holderIdentity: 'x', acquireTime: new Date().toISOString() };
    const plain = {
      apiVersion: LEASES.apiVersion,
      kind: 'Lease',
      metadata: { namespace: 'default', name: 'plain' },
      spec,
    };
    await expect(direct.create(LEASES, plain, 'test')).rejects.toSatisfy(isInvalid);
    const one = await contend('micro', 'one');
    await leads(one);
    const lease = await direct.get({ resource: LEASES, namespace: 'default', name: 'micro' });
    expect(lease?.spec).toMatchObject({ holderIdentity: 'one', leaseTransitions: 0 });
    await until(
      'a renewal',
      async () => {
        const later = await direct.get({ resource: LEASES, namespace: 'default', name: 'micro' });
        return later?.metadata.resourceVersion !== lease?.metadata.resourceVersion || undefined;
      },
      QUICK,
    );
    one.stop.abort(new Error('stop'));
    expect(await one.result).toBe('released');
  });

  it('has one leader of two, and hands over at once on shutdown', async () => {
    const [one, two] = await Promise.all([contend('handover', 'one', LONG), contend('handover', 'two', LONG)]);
    const first = await until('a leader', () => [one, two].find(({ state }) => state.leading), QUICK);
    const second = first === one ? two : one;
    await until('some renewals', () => first.proxy.count('PATCH') > 2 || undefined, QUICK);
    expect(second.state.leading).toBe(false);
    first.stop.abort(new Error('stop'));
    await first.result;
    await leads(second);
    expect(second.state.begunAt).toBeGreaterThan(first.state.endedAt);
  });

  it('never has two leaders when the first is cut off: it stops before the second may begin', async () => {
    const one = await contend('cut-off', 'one');
    await leads(one);
    const two = await contend('cut-off', 'two');
    one.proxy.fail(() => true, 'hang', Number.POSITIVE_INFINITY);
    const cutAt = performance.now();
    await ends(one);
    expect(one.state.endedAt - cutAt).toBeLessThan(TIMES.leaseDurationMs);
    expect(two.state.leading).toBe(false);
    expect(await one.result).toBe('lost');
    await leads(two);
    expect(two.state.begunAt).toBeGreaterThan(one.state.endedAt);
  });

  it('survives refusals and cut connections that last less than the deadline', async () => {
    const one = await contend('rough', 'one');
    await leads(one);
    one.proxy.fail(() => true, { answer: 500 }, 1);
    one.proxy.fail(() => true, { answer: 429, headers: { 'retry-after': '1' } }, 1);
    one.proxy.fail(() => true, 'cut', 2);
    const renewals = one.proxy.count('PATCH');
    await until('more renewals', () => one.proxy.count('PATCH') > renewals + 10 || undefined, QUICK);
    expect(one.state.leading).toBe(true);
  });

  it.each(['stolen', 'deleted'])('stops within the lease time when its lease is %s', async (what) => {
    const ref = { resource: LEASES, namespace: 'default', name: `lease-${what}` };
    const one = await contend(ref.name, 'one');
    await leads(one);
    const happenedAt = performance.now();
    if (what === 'stolen') {
      const spec = { holderIdentity: 'thief', leaseDurationSeconds: 3 };
      const lease = {
        apiVersion: LEASES.apiVersion,
        kind: 'Lease',
        metadata: { namespace: 'default', name: ref.name },
        spec,
      };
      await direct.apply(LEASES, lease, 'thief');
    } else {
      const uid = (await direct.get(ref))?.metadata.uid ?? '';
      await direct.delete(ref, { uid });
    }
    await ends(one);
    expect(one.state.endedAt - happenedAt).toBeLessThan(TIMES.leaseDurationMs);
    expect(await one.result).toBe('lost');
  });
});
