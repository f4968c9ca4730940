import type { Clock } from '../clock.ts';

/** Milliseconds since the epoch at which a manual clock begins. */
const BEGINNING_MS = Date.parse('2025-01-01T00:00:00.000Z');
/** Turns of the event loop after which everything that needs no timer has happened. */
const SETTLING_TURNS = 5;

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = BEGINNING_MS;
  readonly #timers = new Set<{ dueAt: number; task: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { dueAt: this.#now + Math.max(delayMs, 0), task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have not run yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves on by `ms`, running due timers in order and letting what each of them began come to rest. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].filter(({ dueAt }) => dueAt <= end).sort((a, b) => a.dueAt - b.dueAt);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.dueAt);
      next.task();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything happen that waits for no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLING_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
