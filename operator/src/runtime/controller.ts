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
  /** A key was refused by the full queue: everything must be looked at. */
  #lookAtAll = false;
  /** A look at everything under way; it goes on as the queue has room. */
  #pass: Iterator<KubeObject> | undefined;
  #held: string | undefined;

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
        // An object that moves from one primary to another matters to both; most do not, and count once.
        const before = change.type === 'updated' ? keysOf(change.before) : [];
        for (const key of new Set([...before, ...keysOf(change.object)])) this.enqueue(key, lane);
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
      this.#feed();
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

  /** Begins to look at everything. */
  #resync(): void {
    this.#pass = this.#options.primary.store.values();
    this.#held = undefined;
    this.#feed();
  }

  /** Queues what the pass has still to look at, as far as there is room. */
  #feed(): void {
    if (this.#pass === undefined && this.#lookAtAll) {
      this.#lookAtAll = false;
      this.#pass = this.#options.primary.store.values();
    }
    while (this.#pass !== undefined) {
      const next = this.#held === undefined ? this.#pass.next() : undefined;
      if (next?.done) {
        this.#pass = undefined;
        return;
      }
      const key = next === undefined ? this.#held : this.#primaryKey(next.value);
      this.#held = key;
      if (key === undefined || !this.#queue.add(key, 'resync')) return;
      this.#held = undefined;
    }
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
