import { type Backoff, backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';

/**
 * Why a key is queued, most urgent first: somebody changed something, an earlier try failed or asked to come back,
 * or it is only time to look again.
 */
export type Lane = 'change' | 'retry' | 'resync';
const LANES: readonly Lane[] = ['change', 'retry', 'resync'];

/** Keys a queue holds at most, those on a timer included. More are refused. */
export const MAX_QUEUED_KEYS = 100_000;
/** Every so many keys the one that waits longest comes first, whatever its lane: no lane starves another. */
export const FAIR_TURN = 5;

/** What a queue is made with. */
export interface WorkQueueOptions {
  clock: Clock;
  backoff: Backoff;
  maxKeys?: number;
  onDepth?: (lane: Lane, depth: number) => void;
}

/**
 * Keys that wait to be worked on. A key is worked on by one worker at a time and waits at most once; added while it is
 * worked on, it waits again when that work is done.
 *
 *     add ──► lane ──take──► active ──done──► (gone, or its lane again when added meanwhile)
 *              ▲
 *     addAfter, retry: a timer
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #maxKeys: number;
  readonly #onDepth: (lane: Lane, depth: number) => void;
  /** Waiting keys with their arrival, oldest first. */
  readonly #lanes: Record<Lane, Map<string, number>> = { change: new Map(), retry: new Map(), resync: new Map() };
  readonly #active = new Set<string>();
  /** Keys added while they were active, with the lane they go to. */
  readonly #again = new Map<string, Lane>();
  readonly #timers = new Map<string, { dueAt: number; lane: Lane; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #drained: (() => void) | undefined;
  #draining = false;
  #arrivals = 0;
  #turns = 0;

  constructor({ clock, backoff, maxKeys, onDepth }: WorkQueueOptions) {
    this.#clock = clock;
    this.#backoff = backoff;
    this.#maxKeys = maxKeys ?? MAX_QUEUED_KEYS;
    this.#onDepth = onDepth ?? (() => {});
  }

  /** Keys waiting in the lanes: not those being worked on, not those on a timer. */
  get depth(): number {
    return LANES.reduce((sum, lane) => sum + this.#lanes[lane].size, 0);
  }

  /** Queues `key`; false when the queue is full or draining. A key that waits already is only moved up. */
  add(key: string, lane: Lane = 'change'): boolean {
    if (this.#draining) return false;
    if (this.#active.has(key)) {
      this.#again.set(key, moreUrgent(this.#again.get(key) ?? lane, lane));
      return true;
    }
    const waitsIn = LANES.find((candidate) => this.#lanes[candidate].has(key));
    if (waitsIn !== undefined && moreUrgent(waitsIn, lane) === waitsIn) return true;
    if (waitsIn === undefined && !this.#timers.has(key) && this.#size >= this.#maxKeys) return false;
    if (waitsIn !== undefined) this.#leave(waitsIn, key);
    this.#unschedule(key);
    this.#lanes[lane].set(key, ++this.#arrivals);
    this.#onDepth(lane, this.#lanes[lane].size);
    this.#hand();
    return true;
  }

  /** Queues `key` after `delayMs` unless something queues it earlier; of two timers the earlier wins. */
  addAfter(key: string, delayMs: number, lane: Lane = 'retry'): boolean {
    if (delayMs <= 0) return this.add(key, lane);
    if (this.#draining) return false;
    const dueAt = this.#clock.now() + delayMs;
    const timer = this.#timers.get(key);
    if (timer !== undefined && timer.dueAt <= dueAt) return true;
    if (timer === undefined && this.#size >= this.#maxKeys) return false;
    this.#unschedule(key);
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(key);
      this.add(key, lane);
    });
    this.#timers.set(key, { dueAt, lane, cancel });
    return true;
  }

  /** Counts a failure of `key` and queues it after its backoff, or after `atLeastMs` when that is longer. Returns the wait. */
  retry(key: string, atLeastMs = 0): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const waitMs = Math.max(backoffMs(failures, this.#backoff), atLeastMs);
    this.addAfter(key, waitMs, 'retry');
    return waitMs;
  }

  /** Forgets the failures of `key`: its next one waits the shortest time again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, from now on being worked on; `undefined` once the queue drains or `signal` aborts. */
  take(signal: AbortSignal): Promise<string | undefined> {
    if (this.#draining || signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const finish = (key: string | undefined) => {
        signal.removeEventListener('abort', giveUp);
        resolve(key);
      };
      const giveUp = () => {
        const place = this.#takers.indexOf(finish);
        if (place !== -1) this.#takers.splice(place, 1);
        finish(undefined);
      };
      signal.addEventListener('abort', giveUp);
      this.#takers.push(finish);
      this.#hand();
    });
  }

  /** Says that work on `key` ended. Had it been added meanwhile, it waits again. */
  done(key: string): void {
    this.#active.delete(key);
    const lane = this.#again.get(key);
    this.#again.delete(key);
    if (lane !== undefined) this.add(key, lane);
    if (this.#active.size === 0) this.#drained?.();
  }

  /** Takes nothing more in and hands nothing more out; resolves when the last key being worked on is done. */
  drain(): Promise<void> {
    this.#draining = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    for (const finish of this.#takers.splice(0)) finish(undefined);
    if (this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  get #size(): number {
    return this.depth + this.#timers.size;
  }

  /** Hands waiting keys to waiting takers. */
  #hand(): void {
    while (this.#takers.length > 0) {
      const next = this.#next();
      if (next === undefined) return;
      this.#leave(next.lane, next.key);
      this.#active.add(next.key);
      this.#takers.shift()?.(next.key);
    }
  }

  #next(): { lane: Lane; key: string } | undefined {
    const heads = LANES.flatMap((lane) => {
      const [head] = this.#lanes[lane];
      return head === undefined ? [] : [{ lane, key: head[0], arrival: head[1] }];
    });
    if (heads.length === 0) return undefined;
    const fair = ++this.#turns % FAIR_TURN === 0;
    return fair ? heads.sort((a, b) => a.arrival - b.arrival)[0] : heads[0];
  }

  #leave(lane: Lane, key: string): void {
    this.#lanes[lane].delete(key);
    this.#onDepth(lane, this.#lanes[lane].size);
  }

  #unschedule(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }
}

function moreUrgent(one: Lane, other: Lane): Lane {
  return LANES.indexOf(one) <= LANES.indexOf(other) ? one : other;
}
