import { z } from 'zod';
import { type Clock, sleep } from './clock.ts';
import type { Cluster, KubeObject, Resource } from './cluster.ts';
import { isAlreadyExists, isConflict, KubeError } from './kube-error.ts';
import type { Log } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';

export const LEASES: Resource = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

/** A contender may take a lease that nobody renewed for this long. */
export const LEASE_DURATION_MS = 15_000;
/** A leader that could not renew for this long stops; the rest of the lease is its margin to end what it does. */
export const RENEW_DEADLINE_MS = 10_000;
/** Between two looks of a contender, and between two renewals of a leader. */
export const RETRY_PERIOD_MS = 2_000;

const FIELD_MANAGER = 'leader-election';

const leaseSchema = z.object({
  metadata: z.object({ uid: z.string(), resourceVersion: z.string() }),
  spec: z
    .object({
      holderIdentity: z.string().default(''),
      leaseDurationSeconds: z.number().default(LEASE_DURATION_MS / 1000),
      leaseTransitions: z.number().default(0),
      acquireTime: z.string().optional(),
    })
    .prefault({}),
});
type Lease = z.infer<typeof leaseSchema>;

/** What an election is held with. */
export interface LeaderElectionDeps {
  cluster: Cluster;
  clock: Clock;
  random: () => number;
  log: Log;
  metrics: RuntimeMetrics;
}

/** Where the lease is and who asks for it. */
export interface LeaderElectionOptions {
  namespace: string;
  name: string;
  /** Unique among the contenders: the pod's name. */
  identity: string;
  leaseDurationMs?: number;
  renewDeadlineMs?: number;
  retryPeriodMs?: number;
}

/**
 * One leader at a time, by a Lease. Every write names the version it was decided on, so of two contenders one wins.
 * Other machines' clocks are not trusted: a lease has expired when *we* saw it unchanged for its whole duration.
 *
 *     last renewal ── renewDeadline ──► the leader stops ── leaseDuration ──► another may lead
 */
export class LeaderElection {
  readonly #deps: LeaderElectionDeps;
  readonly #options: Required<LeaderElectionOptions>;
  #observed = { version: '', at: 0 };

  constructor(deps: LeaderElectionDeps, options: LeaderElectionOptions) {
    const leaseDurationMs = options.leaseDurationMs ?? LEASE_DURATION_MS;
    const renewDeadlineMs = options.renewDeadlineMs ?? RENEW_DEADLINE_MS;
    const retryPeriodMs = options.retryPeriodMs ?? RETRY_PERIOD_MS;
    if (!(retryPeriodMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs))
      throw new Error('a lease needs retryPeriodMs < renewDeadlineMs < leaseDurationMs');
    this.#deps = deps;
    this.#options = { ...options, leaseDurationMs, renewDeadlineMs, retryPeriodMs };
  }

  /**
   * Waits for leadership, runs `lead` while it lasts, and gives the lease back when `lead` returns or `signal` aborts.
   * `lead` must end soon after its signal aborts. `lost`: somebody else may lead; end the process.
   */
  async run(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<'released' | 'lost'> {
    const acquired = await this.#acquire(signal);
    if (acquired === undefined) return 'released';
    const { log, metrics } = this.#deps;
    const { identity } = this.#options;
    log.info({ identity }, 'leading');
    metrics.leading.set(1);
    const term = new AbortController();
    const end = () => term.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const renewals = new AbortController();
    const renewing = this.#renew(acquired, renewals.signal, (reason) => term.abort(reason));
    try {
      await lead(term.signal);
    } finally {
      signal.removeEventListener('abort', end);
      renewals.abort();
      metrics.leading.set(0);
      const last = await renewing;
      if (last !== undefined) await this.#release(last);
    }
    return (await renewing) === undefined ? 'lost' : 'released';
  }

  /** The lease as it was taken; `undefined` when `signal` aborted before. */
  async #acquire(signal: AbortSignal): Promise<{ lease: Lease; at: number } | undefined> {
    const { clock, log, random } = this.#deps;
    while (!signal.aborted) {
      try {
        const at = clock.now();
        const lease = await this.#tryToTake(signal);
        if (lease !== undefined) return { lease, at };
      } catch (error) {
        const expected = isConflict(error) || isAlreadyExists(error) || signal.aborted;
        const message = error instanceof Error ? error.message : String(error);
        if (!expected) log.warn({ error: message }, 'cannot ask for the lease, trying again');
      }
      await sleep(clock, this.#options.retryPeriodMs * (1 + random() / 5), signal);
    }
    return undefined;
  }

  async #tryToTake(signal: AbortSignal): Promise<Lease | undefined> {
    const { cluster, clock } = this.#deps;
    const { identity } = this.#options;
    const lease = await this.#read(signal);
    if (lease === undefined) {
      const first = this.#lease({ leaseTransitions: 0, acquireTime: this.#now() });
      return parseLease(await cluster.create(LEASES, first, FIELD_MANAGER, signal));
    }
    const { resourceVersion } = lease.metadata;
    const { holderIdentity, leaseDurationSeconds, leaseTransitions } = lease.spec;
    if (this.#observed.version !== resourceVersion) this.#observed = { version: resourceVersion, at: clock.now() };
    const expired = clock.now() - this.#observed.at >= leaseDurationSeconds * 1000;
    if (holderIdentity !== '' && holderIdentity !== identity && !expired) return undefined;
    return this.#write(lease, { leaseTransitions: leaseTransitions + 1, acquireTime: this.#now() }, signal);
  }

  /**
   * Renews until `signal` aborts, then returns the lease as it is, or `undefined` once it was lost; `onLost` is called
   * at that very moment, also when the server does not answer.
   */
  async #renew(
    acquired: { lease: Lease; at: number },
    signal: AbortSignal,
    onLost: (reason: Error) => void,
  ): Promise<Lease | undefined> {
    const { clock, log } = this.#deps;
    const { renewDeadlineMs, retryPeriodMs } = this.#options;
    const ended = new AbortController();
    const end = () => ended.abort();
    signal.addEventListener('abort', end, { once: true });
    let lost = false;
    const lose = (why: string) => {
      if (lost || signal.aborted) return;
      lost = true;
      log.error({ why }, 'leadership lost');
      this.#deps.metrics.leading.set(0);
      onLost(new Error(`leadership lost: ${why}`));
      end();
    };
    let { lease } = acquired;
    const expireAfter = (renewedAt: number) =>
      clock.after(renewedAt + renewDeadlineMs - clock.now(), () => lose(`not renewed for ${renewDeadlineMs} ms`));
    let cancelExpiry = expireAfter(acquired.at);
    while (!ended.signal.aborted) {
      await sleep(clock, retryPeriodMs, ended.signal);
      if (ended.signal.aborted) break;
      const askedAt = clock.now();
      // One connection that hangs must leave time for another try.
      const attempt = new AbortController();
      const cancelAttempt = clock.after(renewDeadlineMs / 2, () => attempt.abort(new Error('no answer in time')));
      try {
        lease = await this.#write(lease, lease.spec, AbortSignal.any([ended.signal, attempt.signal]));
        cancelExpiry();
        cancelExpiry = expireAfter(askedAt);
      } catch (error) {
        if (isConflict(error)) lease = (await this.#stillOurs(lose, ended.signal)) ?? lease;
        else if (!ended.signal.aborted) log.warn({ error: String(error) }, 'cannot renew the lease, trying again');
      } finally {
        cancelAttempt();
      }
    }
    cancelExpiry();
    signal.removeEventListener('abort', end);
    return lost ? undefined : lease;
  }

  /** After a conflict: the lease as it is now, if it is still ours. */
  async #stillOurs(lose: (why: string) => void, signal: AbortSignal): Promise<Lease | undefined> {
    const { identity } = this.#options;
    try {
      const lease = await this.#read(signal);
      if (lease?.spec.holderIdentity === identity) return lease;
      lose(
        `the lease belongs to ${lease === undefined ? 'nobody: it was deleted' : lease.spec.holderIdentity || 'nobody'}`,
      );
    } catch {
      // Not told: the expiry decides.
    }
    return undefined;
  }

  /** Gives the lease back, so that the next leader need not wait for its end. */
  async #release(lease: Lease): Promise<void> {
    const { clock, log } = this.#deps;
    const bound = new AbortController();
    const cancel = clock.after(this.#options.retryPeriodMs, () => bound.abort(new Error('no time left')));
    try {
      // A renewal that was under way when the end came may have reached the server: then the version has moved on.
      let now: Lease | undefined = lease;
      while (now?.spec.holderIdentity === this.#options.identity && !(await this.#free(now, bound.signal))) {
        now = await this.#read(bound.signal);
      }
    } catch (error) {
      log.warn({ error: String(error) }, 'cannot give the lease back; the next leader waits for its end');
    } finally {
      cancel();
    }
  }

  /** Writes the lease without a holder; false when somebody, maybe we ourselves, has written it meanwhile. */
  async #free({ metadata, spec: { leaseTransitions } }: Lease, signal: AbortSignal): Promise<boolean> {
    const free = this.#lease({ leaseTransitions, acquireTime: this.#now() }, metadata);
    const spec = { ...(free.spec as object), holderIdentity: '' };
    try {
      await this.#deps.cluster.apply(LEASES, { ...free, spec }, FIELD_MANAGER, signal);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  /** The lease as it is now; `undefined` where there is none. */
  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    const found = await this.#deps.cluster.get({ resource: LEASES, namespace, name }, signal);
    return found === undefined ? undefined : parseLease(found);
  }

  async #write(
    { metadata }: Lease,
    spec: { leaseTransitions: number; acquireTime?: string | undefined },
    signal: AbortSignal,
  ): Promise<Lease> {
    const { cluster } = this.#deps;
    return parseLease(await cluster.apply(LEASES, this.#lease(spec, metadata), FIELD_MANAGER, signal));
  }

  /** The Lease as we hold it from now on; `metadata` binds the write to the version it was decided on. */
  #lease(
    { leaseTransitions, acquireTime }: { leaseTransitions: number; acquireTime?: string | undefined },
    metadata: Partial<Lease['metadata']> = {},
  ): KubeObject {
    const { namespace, name, identity, leaseDurationMs } = this.#options;
    return {
      apiVersion: LEASES.apiVersion,
      kind: LEASES.kind,
      metadata: { ...metadata, name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
        leaseTransitions,
        acquireTime: acquireTime ?? this.#now(),
        renewTime: this.#now(),
      },
    };
  }

  #now(): string {
    return microTime(this.#deps.clock.now());
  }
}

/** A `metav1.MicroTime`: exactly six digits after the point. With JavaScript's three the server refuses the object. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}

function parseLease(object: KubeObject): Lease {
  const parsed = leaseSchema.safeParse(object);
  if (parsed.success) return parsed.data;
  const message = `the lease has an unexpected shape: ${z.prettifyError(parsed.error)}`;
  throw new KubeError({ status: 0, reason: 'MalformedAnswer', message });
}
