import { type Backoff, backoffMs } from './backoff.ts';
import { type Clock, sleep } from './clock.ts';
import type { KubeObject, Resource } from './cluster.ts';
import { isExpired, KubeError, retryAfterMsOf } from './kube-error.ts';
import { listAll } from './list-all.ts';
import type { Log } from './log.ts';
import { managedFieldsSlimmer } from './managed-fields.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { isNewer } from './resource-version.ts';
import { type Change, objectKey, type Store } from './store.ts';
import type { WatchEvent, WatchSource, WatchTarget } from './watch-source.ts';

/** How patient a reflector is. All in milliseconds unless the name says otherwise. */
export interface ReflectorLimits {
  /** Objects of one page of a list. */
  pageSize: number;
  /** The server ends a watch after this time, plus up to as much again at random, so that not all end together. */
  watchSeconds: number;
  /** Silence after which a watch counts as dead. The server sends a bookmark about every minute. */
  inactivityMs: number;
  /** A watch that ends sooner than this counts as a failure. */
  shortestWatchMs: number;
  retryBaseMs: number;
  retryCapMs: number;
}

export const REFLECTOR_LIMITS: ReflectorLimits = {
  pageSize: 500,
  watchSeconds: 300,
  inactivityMs: 150_000,
  shortestWatchMs: 1_000,
  retryBaseMs: 500,
  retryCapMs: 30_000,
};

/** What reflectors share. */
export interface ReflectorDeps {
  source: WatchSource;
  clock: Clock;
  random: () => number;
  log: Log;
  metrics: RuntimeMetrics;
}

/** What one reflector mirrors, and where to. */
export interface ReflectorOptions extends WatchTarget {
  store: Store;
  limits?: Partial<ReflectorLimits>;
}

/** Learns of every change, synchronously: it should only note which keys to look at. */
export type ChangeHandler = (change: Change) => void;

/**
 * Keeps a store equal to what the API server has of one kind.
 *
 *     list ──► watch ──ended, cut, silent──► watch from the last version seen
 *      ▲         │
 *      └─────────┴── expired (410), an ERROR line, a line that cannot be read: what it said is lost
 *
 * Every failure is tried again for ever, after a jittered backoff and never sooner than the server's Retry-After.
 */
export class Reflector {
  readonly resource: Resource;
  readonly store: Store;
  readonly #deps: ReflectorDeps;
  readonly #target: WatchTarget;
  readonly #limits: ReflectorLimits;
  readonly #handlers = new Set<ChangeHandler>();
  readonly #slim = managedFieldsSlimmer();
  readonly #synced = Promise.withResolvers<void>();
  #version = '';
  #hasSynced = false;
  #running = false;
  #failures = 0;

  constructor(deps: ReflectorDeps, { store, limits, ...target }: ReflectorOptions) {
    this.#deps = deps;
    this.#target = target;
    this.#limits = { ...REFLECTOR_LIMITS, ...limits };
    this.resource = target.resource;
    this.store = store;
  }

  /** Whether the store has held a full list once. It never becomes false again: old state is better than none. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Resolves when `hasSynced` is true; rejects with the reason of `signal`. */
  async synced(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    await Promise.race([this.#synced.promise, aborted.promise]).finally(() =>
      signal.removeEventListener('abort', abort),
    );
  }

  /** Tells `handler` of what is there, as added, and of every change from now on. Returns how to stop that. */
  subscribe(handler: ChangeHandler): () => void {
    this.#handlers.add(handler);
    for (const object of this.store.values()) this.#tell(handler, { type: 'added', object });
    return () => this.#handlers.delete(handler);
  }

  /** Mirrors until `signal` aborts, then returns. One run at a time: a second one throws. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#running) throw new Error(`the reflector of ${this.resource.plural} runs already`);
    this.#running = true;
    try {
      while (!signal.aborted) {
        try {
          await this.#list(signal);
          await this.#watchOn(signal);
        } catch (error) {
          if (!signal.aborted) await this.#recover(error, signal);
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /**
   * Takes in the server's answer to a write of our own, so that the next reader does not decide on what it replaced.
   * Ignored when the watch has come past that version: then the object may have changed, or gone, since.
   */
  assume(object: KubeObject): void {
    const version = object.metadata.resourceVersion ?? '';
    const stored = this.store.get(objectKey(object.metadata));
    if (this.#target.metadataOnly || !this.#hasSynced || !isNewer(version, this.#version)) return;
    if (stored === undefined || isNewer(version, stored.metadata.resourceVersion ?? ''))
      this.#publish(this.store.put(this.#slim(object)));
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { items, resourceVersion } = await listAll(this.#deps.source, this.#target, this.#limits.pageSize, signal);
    // What was assumed and is newer than the list is not missing from it.
    const assumed = (stored: KubeObject) => isNewer(stored.metadata.resourceVersion ?? '', resourceVersion);
    const changes = this.store.replace(items.map(this.#slim), assumed);
    this.#version = resourceVersion;
    const missed = changes.filter(({ type }) => type === 'deleted').length;
    this.#deps.metrics.missedDeletes.inc({ kind: this.resource.kind }, missed);
    this.#publish(changes);
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  /** Watches, again and again, until a new list is needed: then it throws. */
  async #watchOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const beganAt = this.#deps.clock.now();
      const lasted = () => this.#deps.clock.now() - beganAt >= this.#limits.shortestWatchMs;
      try {
        await this.#watch(signal);
        if (!lasted())
          throw new KubeError({ status: 0, reason: 'EndedAtOnce', message: 'the watch ended as soon as it began' });
        this.#restarted('ended');
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (lasted()) this.#failures = 0;
        if (needsList(error)) throw error;
        await this.#recover(error, signal);
      }
    }
  }

  /** One watch. Returns when the server ended it in an orderly way. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { source, clock, random } = this.#deps;
    const watch = new AbortController();
    const abort = () => watch.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const timeoutSeconds = Math.round(this.#limits.watchSeconds * (1 + random()));
    let calm = () => {};
    const stayAwake = () => {
      calm();
      calm = clock.after(this.#limits.inactivityMs, () => watch.abort(silence(this.#limits.inactivityMs)));
    };
    try {
      stayAwake();
      const request = { resourceVersion: this.#version, timeoutSeconds };
      for await (const event of source.watch(this.#target, request, watch.signal)) {
        stayAwake();
        this.#take(event);
        this.#failures = 0;
      }
    } finally {
      calm();
      signal.removeEventListener('abort', abort);
    }
  }

  #take(event: WatchEvent): void {
    if (event.type === 'error') throw new LostStream(event.error);
    if (event.type === 'bookmark') {
      this.#version = event.resourceVersion;
      return;
    }
    const object = this.#slim(event.object);
    const version = object.metadata.resourceVersion ?? '';
    const key = objectKey(object.metadata);
    const stored = this.store.get(key)?.metadata.resourceVersion ?? '';
    // Our own write may have been assumed already: older lines about that name are history.
    const outdated = isNewer(stored, version);
    if (!outdated) this.#publish(event.type === 'deleted' ? this.store.remove(key, object) : this.store.put(object));
    this.#version = version;
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps;
    const backoff: Backoff = { baseMs: this.#limits.retryBaseMs, capMs: this.#limits.retryCapMs, random };
    this.#failures++;
    // An expired version is no failure of the server: the list that mends it need not wait the first time.
    const waitMs = isExpired(error) && this.#failures === 1 ? 0 : backoffMs(this.#failures, backoff);
    const delayMs = Math.max(waitMs, retryAfterMsOf(error) ?? 0);
    const reason = restartReason(error);
    this.#restarted(reason);
    const message = error instanceof Error ? error.message : String(error);
    log.warn({ kind: this.resource.kind, reason, error: message, delayMs }, 'watch interrupted, trying again');
    if (delayMs > 0) await sleep(clock, delayMs, signal);
  }

  #restarted(reason: string): void {
    this.#deps.metrics.watchRestarts.inc({ kind: this.resource.kind, reason });
  }

  #publish(changes: readonly Change[]): void {
    this.#deps.metrics.storedObjects.set({ kind: this.resource.kind }, this.store.size);
    for (const change of changes) for (const handler of this.#handlers) this.#tell(handler, change);
  }

  #tell(handler: ChangeHandler, change: Change): void {
    try {
      handler(change);
    } catch (error) {
      const { kind } = this.resource;
      this.#deps.log.error(
        { kind, name: change.object.metadata.name, error },
        'a change handler threw; it should only enqueue keys',
      );
    }
  }
}

/** An ERROR line: whatever else the stream had to say is lost. */
class LostStream extends KubeError {
  constructor(cause: Error) {
    const known = cause instanceof KubeError ? cause : undefined;
    super({
      status: known?.status ?? 500,
      reason: known?.reason ?? 'Unknown',
      message: cause.message,
      cause,
      ...(known?.retryAfterMs !== undefined && { retryAfterMs: known.retryAfterMs }),
    });
  }
}

/** Whether going on from the last version seen could miss something. */
function needsList(error: unknown): boolean {
  if (!(error instanceof KubeError) || error instanceof LostStream || error.reason === 'MalformedAnswer') return true;
  // 410, and 404 where the kind itself was deleted; who may not ask, or asks too often, has missed nothing yet.
  return error.status >= 400 && error.status < 500 && ![401, 403, 429].includes(error.status);
}

function restartReason(error: unknown): string {
  if (!(error instanceof KubeError)) return 'Unknown';
  return error.status === 0 || isExpired(error) ? error.reason : `HTTP ${error.status}`;
}

function silence(inactivityMs: number): KubeError {
  return new KubeError({ status: 0, reason: 'Silent', message: `nothing came for ${inactivityMs} ms` });
}
