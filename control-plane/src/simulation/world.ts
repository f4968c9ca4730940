/** Something that is going to happen. Equal times happen in the order in which they were planned. */
type Event = { readonly atMs: number; readonly order: number; readonly run: () => void | Promise<void> };

/** Events one run may have before it is taken for one that never comes to rest. */
const MAX_EVENTS = 100_000;

/**
 * Time, and what happens in it. One event runs at a time, to its end, database included; then the next. Coroutines
 * that wait here are woken by events, so the order of everything is given by the scenario alone.
 */
export class World {
  /** Milliseconds since the start: always forwards. */
  nowMs = 0;
  /** What the wall clock shows: may jump. */
  wallMs: number;
  readonly trace: string[] = [];
  readonly #events: Event[] = [];
  #order = 0;

  constructor(startsAtMs: number) {
    this.wallMs = startsAtMs;
  }

  log(line: string): void {
    this.trace.push(`${(this.nowMs / 1000).toFixed(3).padStart(8)}s  ${line}`);
  }

  after(delayMs: number, run: () => void | Promise<void>): void {
    const event: Event = { atMs: this.nowMs + delayMs, order: this.#order, run };
    this.#order += 1;
    let place = this.#events.length;
    while (place > 0 && isAfter(this.#events[place - 1], event)) place -= 1;
    this.#events.splice(place, 0, event);
  }

  jump(byMs: number): void {
    this.wallMs += byMs;
  }

  /** Lets everything happen that is due within `forMs`, or until it is quiet: then nothing more would come of it. */
  async run(forMs: number, isQuiet: () => boolean): Promise<void> {
    const untilMs = this.nowMs + forMs;
    for (let count = 0; ; count += 1) {
      const event = this.#events[0];
      if (event === undefined || event.atMs > untilMs) break;
      if (count > MAX_EVENTS) throw new Error(`more than ${MAX_EVENTS} events: the run does not come to rest`);
      this.#events.shift();
      this.#advance(event.atMs);
      await event.run();
      await settled();
      if (isQuiet()) return;
    }
    this.#advance(untilMs);
  }

  #advance(toMs: number): void {
    this.wallMs += toMs - this.nowMs;
    this.nowMs = toMs;
  }
}

/** Kills leave no trace in memory: what a dead process waits for never comes. */
export class Process {
  readonly name: string;
  readonly #world: World;
  #alive = true;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  get alive(): boolean {
    return this.#alive;
  }

  kill(): void {
    this.#alive = false;
  }

  sleep(ms: number): Promise<void> {
    return this.wait((resolve) => this.#world.after(ms, resolve));
  }

  /** A promise of this process: it is kept only while the process lives. */
  wait<Value>(begin: (resolve: (value: Value) => void, reject: (error: Error) => void) => void): Promise<Value> {
    return new Promise((resolve, reject) => {
      begin(
        (value) => {
          if (this.#alive) resolve(value);
        },
        (error) => {
          if (this.#alive) reject(error);
        },
      );
    });
  }
}

function isAfter(planned: Event | undefined, event: Event): boolean {
  return planned !== undefined && planned.atMs > event.atMs;
}

/** Resolves when every coroutine that was woken has gone to wait again. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
