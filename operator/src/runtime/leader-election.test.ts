import { describe, expect, it } from 'vitest';
import type { KubeObject, Resource } from './cluster.ts';
import { FakeCluster } from './fake-cluster.ts';
import { KubeError } from './kube-error.ts';
import { LEASE_DURATION_MS, LEASES, LeaderElection, microTime, RENEW_DEADLINE_MS } from './leader-election.ts';
import { noJitter, recordingLog, testMetrics } from './testing/deps.ts';
import { ManualClock, settle } from './testing/manual-clock.ts';

const LEASE = { resource: LEASES, namespace: 'default', name: 'the-lease' };

function arena() {
  const cluster = new FakeCluster();
  const clock = new ManualClock();
  const terms: string[] = [];
  /** Contends as `identity` until stopped; `terms` tells when it leads and when it ends. */
  const contend = (identity: string) => {
    const stop = new AbortController();
    const { metrics, value } = testMetrics();
    const deps = { cluster, clock, random: noJitter, log: recordingLog().log, metrics };
    const election = new LeaderElection(deps, { namespace: 'default', name: 'the-lease', identity });
    const result = election.run(stop.signal, async (leading) => {
      terms.push(`${identity} leads`);
      await new Promise((resolve) => leading.addEventListener('abort', resolve));
      terms.push(`${identity} ends`);
    });
    return { stop: () => stop.abort(new Error('stop')), result, leading: () => value('leading') };
  };
  const holder = async () => {
    const spec = (await cluster.get(LEASE))?.spec as { holderIdentity: string } | undefined;
    return spec?.holderIdentity;
  };
  return { cluster, clock, terms, contend, holder };
}

describe('leader election', () => {
  it('lets one of two lead, and renews as long as it does', async () => {
    const { clock, terms, contend, holder } = arena();
    const one = contend('one');
    await settle();
    contend('two');
    await clock.advance(10 * LEASE_DURATION_MS);
    expect(terms).toEqual(['one leads']);
    expect(await holder()).toBe('one');
    expect(await one.leading()).toBe(1);
  });

  it('lets one win when two ask for a new lease at the same time', async () => {
    const { clock, terms, contend } = arena();
    contend('one');
    contend('two');
    await clock.advance(10 * LEASE_DURATION_MS);
    expect(terms).toHaveLength(1);
  });

  it('gives the lease back on shutdown, so that the next leads at its next look', async () => {
    const { clock, terms, contend, holder } = arena();
    const one = contend('one');
    await settle();
    contend('two');
    await clock.advance(5_000);
    one.stop();
    expect(await one.result).toBe('released');
    expect(await holder()).toBe('');
    await clock.advance(3_000);
    expect(terms).toEqual(['one leads', 'one ends', 'two leads']);
  });

  it('takes the lease of a leader that vanished only after its whole duration', async () => {
    const { cluster, clock, terms, contend } = arena();
    contend('one');
    await clock.advance(1_000);
    cluster.intercept = ({ verb, object }) => {
      const { holderIdentity } = (object?.spec ?? {}) as { holderIdentity?: string };
      if (verb === 'apply' && holderIdentity === 'one')
        throw new KubeError({ status: 0, reason: 'Unreachable', message: 'cut off' });
    };
    contend('two');
    await clock.advance(LEASE_DURATION_MS - 3_000);
    expect(terms).not.toContain('two leads');
    await clock.advance(6_000);
    expect(terms).toEqual(['one leads', 'one ends', 'two leads']);
  });

  it('stops leading before the lease ends when the server does not answer at all', async () => {
    const { cluster, clock, terms, contend } = arena();
    const one = contend('one');
    await settle();
    cluster.intercept = () => new Promise(() => {});
    await clock.advance(RENEW_DEADLINE_MS - 1);
    expect(terms).toEqual(['one leads']);
    await clock.advance(1);
    expect(terms).toEqual(['one leads', 'one ends']);
    expect(RENEW_DEADLINE_MS).toBeLessThan(LEASE_DURATION_MS);
    expect(await one.leading()).toBe(0);
  });

  it('survives a server that refuses for a while', async () => {
    const { cluster, clock, terms, contend } = arena();
    contend('one');
    await settle();
    cluster.intercept = () => {
      throw new KubeError({ status: 500, reason: 'InternalError', message: 'no' });
    };
    await clock.advance(RENEW_DEADLINE_MS - 4_000);
    cluster.intercept = () => {};
    await clock.advance(10 * LEASE_DURATION_MS);
    expect(terms).toEqual(['one leads']);
  });

  it('outlives one renewal that hangs', async () => {
    const { cluster, clock, terms, contend } = arena();
    contend('one');
    await settle();
    let hung = 0;
    const apply = cluster.apply.bind(cluster);
    cluster.apply = async (
      resource: Resource,
      object: KubeObject,
      manager: string,
      signal?: AbortSignal,
    ): Promise<KubeObject> => {
      if (++hung > 1) return apply(resource, object, manager);
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      throw signal?.reason;
    };
    await clock.advance(10 * LEASE_DURATION_MS);
    expect(terms).toEqual(['one leads']);
  });

  it.each<[string, (cluster: FakeCluster) => void]>([
    [
      'stolen',
      (cluster) =>
        cluster.edit(LEASE, (lease) => {
          lease.spec = { ...(lease.spec as object), holderIdentity: 'thief' };
        }),
    ],
    ['deleted', (cluster) => cluster.kubectlDelete(LEASE)],
  ])('stops at its next renewal when the lease was %s', async (_, happens) => {
    const { cluster, clock, terms, contend } = arena();
    const one = contend('one');
    await clock.advance(1_000);
    happens(cluster);
    await clock.advance(2_000);
    expect(terms).toEqual(['one leads', 'one ends']);
    expect(await one.result).toBe('lost');
  });

  it('keeps leading when somebody merely annotates the lease', async () => {
    const { cluster, clock, terms, contend } = arena();
    contend('one');
    await clock.advance(1_000);
    cluster.edit(LEASE, (lease) => {
      lease.metadata.annotations = { note: 'seen' };
    });
    await clock.advance(10 * LEASE_DURATION_MS);
    expect(terms).toEqual(['one leads']);
  });

  it('judges expiry by what it saw itself, not by a clock that runs elsewhere', async () => {
    const { cluster, clock, terms, contend } = arena();
    const longAgo = microTime(0);
    await cluster.create(
      LEASES,
      {
        apiVersion: LEASES.apiVersion,
        kind: LEASES.kind,
        metadata: { namespace: 'default', name: 'the-lease' },
        spec: { holderIdentity: 'late-clock', leaseDurationSeconds: 15, renewTime: longAgo, acquireTime: longAgo },
      },
      'test',
    );
    contend('two');
    await clock.advance(LEASE_DURATION_MS - 1_000);
    expect(terms).toEqual([]);
    await clock.advance(4_000);
    expect(terms).toEqual(['two leads']);
  });

  it('gives the lease back when the work ends by itself, and when it fails', async () => {
    const { cluster, clock, holder } = arena();
    const deps = { cluster, clock, random: noJitter, log: recordingLog().log, metrics: testMetrics().metrics };
    const election = () => new LeaderElection(deps, { namespace: 'default', name: 'the-lease', identity: 'one' });
    const forEver = new AbortController().signal;
    expect(await election().run(forEver, async () => {})).toBe('released');
    expect(await holder()).toBe('');
    const failing = election().run(forEver, async () => {
      throw new Error('a bug');
    });
    await expect(failing).rejects.toThrow('a bug');
    expect(await holder()).toBe('');
  });

  it('refuses deadlines that could make two leaders', () => {
    const { cluster, clock } = arena();
    const deps = { cluster, clock, random: noJitter, log: recordingLog().log, metrics: testMetrics().metrics };
    const options = { namespace: 'default', name: 'x', identity: 'y', renewDeadlineMs: LEASE_DURATION_MS };
    expect(() => new LeaderElection(deps, options)).toThrow('renewDeadlineMs < leaseDurationMs');
  });

  it('writes times with the six digits that a MicroTime has', () => {
    expect(microTime(Date.parse('2025-01-01T00:00:00.120Z'))).toBe('2025-01-01T00:00:00.120000Z');
  });
});
