import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { KubeObject } from './cluster.ts';
import { retryAfterMsOf } from './kube-error.ts';
import type { Log } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';
import type { Reflector } from './reflector.ts';
import { objectKey } from './store.ts';
import { type Lane, WorkQueue } from './work-queue.ts';

/** Keys worked on at the same time. */
export const WORKERS = 4;
/** Milliseconds after which every primary is looked at again, changed or not. */
export const RESYNC_PERIOD_MS = 600_000;
/** Milliseconds one reconcile may take. */
export const RECONCILE_DEADLINE_MS = 120_000;
/** Milliseconds the first retry of a key waits, and the longest one. */
export const RETRY_BASE_MS = 500;
export const RETRY_CAP_MS = 300_000;

/** What a reconcile asks for when all is well. */
export interface ReconcileResult {
  /** Look again after this many milliseconds, changed or not. */
  requeueAfterMs?: number;
}

/** Brings what `key` names to its wished state. Throwing means: try again later, after a backoff. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>;

/** What controllers share. */
export interface ControllerDeps {
  clock: Clock;
  random: () => number;
  log: Log;
  metrics: RuntimeMetrics;
}

/** What one controller watches and does. */
export interface ControllerOptions {
  name: string;
  /** The kind whose objects are reconciled. */
  primary: Reflector;
  /** The key of a primary; `namespace/name` or `name` unless given. */
  primaryKeyOf?: (object: KubeObject) => string;
  /** Kinds whose objects belong to one primary, told by a label for example. */
  owned?: readonly { reflector: Reflector; keyOf: (object: KubeObject) => string | undefined }[];
  /** Kinds whose objects matter to any number of primaries. */
  mapped?: readonly { reflector: Reflector; keysOf: (object: KubeObject) => Iterable<string> }[];
  reconcile: Reconcile;
  workers?: number;
  resyncPeriodMs?: number;
  reconcileDeadlineMs?: number;
  retryBaseMs?: number;
  retryCapMs?: number;
  maxQueuedKeys?: number;
}

/**
 * Turns changes of watched kinds into keys, and keys into reconciles. It collects keys from its making on, also while
 * another process leads, and works on them while it runs. It does not run its reflectors: a standby keeps its stores
 * warm before it leads.
 */
export class Controller {
  readonly #deps: ControllerDeps;
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue;
  /** A change could not be told as keys, or the queue was full: everything must be looked at. */
  #lookAtAll = false;

  constructor(deps: ControllerDeps, options: ControllerOptions) {
    this.#deps = deps;
    this.#options = options;
    const controller = options.name;
    const backoff: Backoff = {
      baseMs: options.retryBaseMs ?? RETRY_BASE_MS,
      capMs: options.retryCapMs ?? RETRY_CAP_MS,
      random: deps.random,
    };
    this.#queue = new WorkQueue({
      clock: deps.clock,
      backoff,
      onDepth: (lane, depth) => deps.metrics.queueDepth.set({ controller, lane }, depth),
      ...(options.maxQueuedKeys !== undefined && { maxKeys: options.maxQueuedKeys }),
    });
    this.#follow(options.primary, (object) => [this.#primaryKey(object)]);
    for (const { reflector, keyOf } of options.owned ?? [])
      this.#follow(reflector, (object) => {
        const key = keyOf(object);
        return key === undefined ? [] : [key];
      });
    for (const { reflector, keysOf } of options.mapped ?? []) this.#follow(reflector, keysOf);
  }

  /** Has `key` looked at soon. */
  enqueue(key: string, lane: Lane = 'change'): void {
    if (this.#queue.add(key, lane)) return;
    this.#deps.metrics.queueRefused.inc({ controller: this.#options.name });
    this.#lookAtAll = true;
  }

  /**
   * Waits until every store has synced, then works until `stop` aborts and the reconciles under way have ended.
   * `abort` ends those too: when leadership is lost, nothing may be written any more. Runs once.
   */
  async run(stop: AbortSignal, abort: AbortSignal = new AbortController().signal): Promise<void> {
    const either = AbortSignal.any([stop, abort]);
    try {
      for (const reflector of this.#reflectors()) await reflector.synced(either);
    } catch (error) {
      if (either.aborted) return;
      throw error;
    }
    const cancelResync = this.#scheduleResync();
    const workers = Array.from({ length: this.#options.workers ?? WORKERS }, () => this.#work(either, abort));
    await Promise.all(workers);
    cancelResync();
    await this.#queue.drain();
  }

  #reflectors(): Reflector[] {
    const { primary, owned = [], mapped = [] } = this.#options;
    return [primary, ...owned.map(({ reflector }) => reflector), ...mapped.map(({ reflector }) => reflector)];
  }

  #follow(reflector: Reflector, keysOf: (object: KubeObject) => Iterable<string>): void {
    reflector.subscribe((change) => {
      // What the first list brings is not news: whoever changes something meanwhile need not wait for all of it.
      const lane = reflector.hasSynced ? 'change' : 'resync';
      try {
        // An object that moves from one primary to another matters to both.
        if (change.type === 'updated') for (const key of keysOf(change.before)) this.enqueue(key, lane);
        for (const key of keysOf(change.object)) this.enqueue(key, lane);
      } catch (error) {
        const { log, metrics } = this.#deps;
        const { name } = this.#options;
        const { kind, metadata } = change.object;
        log.error({ controller: name, kind, object: metadata.name, error }, 'cannot tell whom a change concerns');
        metrics.mapperErrors.inc({ controller: name });
        this.#resync();
      }
    });
  }

  async #work(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.#queue.take(stop);
      if (key === undefined) return;
      await this.#reconcile(key, abort);
      this.#queue.done(key);
      if (this.#lookAtAll && this.#queue.depth === 0) this.#resync();
    }
  }

  async #reconcile(key: string, abort: AbortSignal): Promise<void> {
    const { clock, log, metrics } = this.#deps;
    const { name, reconcile, reconcileDeadlineMs = RECONCILE_DEADLINE_MS } = this.#options;
    const bound = new AbortController();
    const end = () => bound.abort(abort.reason);
    abort.addEventListener('abort', end, { once: true });
    if (abort.aborted) end();
    const cancel = clock.after(reconcileDeadlineMs, () =>
      bound.abort(new Error(`not done within ${reconcileDeadlineMs} ms`)),
    );
    const beganAt = clock.now();
    const seconds = () => (clock.now() - beganAt) / 1000;
    try {
      const { requeueAfterMs } = await reconcile(key, bound.signal);
      this.#queue.forget(key);
      if (requeueAfterMs !== undefined) this.#queue.addAfter(key, requeueAfterMs);
      metrics.reconcileSeconds.observe({ controller: name, outcome: 'done' }, seconds());
    } catch (error) {
      const retryInMs = this.#queue.retry(key, retryAfterMsOf(error));
      const message = error instanceof Error ? error.message : String(error);
      metrics.reconcileSeconds.observe({ controller: name, outcome: 'failed' }, seconds());
      metrics.reconcileErrors.inc({ controller: name });
      log.warn({ controller: name, key, error: message, retryInMs }, 'reconcile failed, trying again');
    } finally {
      cancel();
      abort.removeEventListener('abort', end);
    }
  }

  #resync(): void {
    this.#lookAtAll = false;
    for (const object of this.#options.primary.store.values()) this.enqueue(this.#primaryKey(object), 'resync');
  }

  /** Looks at everything again and again; the period varies by a tenth, so that replicas do not march in step. */
  #scheduleResync(): () => void {
    const { clock, random } = this.#deps;
    const periodMs = this.#options.resyncPeriodMs ?? RESYNC_PERIOD_MS;
    let cancel = () => {};
    const schedule = () => {
      cancel = clock.after(periodMs * (1 + random() / 10), () => {
        this.#resync();
        schedule();
      });
    };
    schedule();
    return () => cancel();
  }

  #primaryKey(object: KubeObject): string {
    return this.#options.primaryKeyOf?.(object) ?? objectKey(object.metadata);
  }
}
