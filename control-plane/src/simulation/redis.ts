import type { Asked } from './model.ts';
import type { Process, World } from './world.ts';

const ROUND_TRIP_MS = 1;
/** The hook waits this long and tries again; what it then raises is one error. */
const TIMEOUT_MS = 5_000;

/** What the control plane is to be told of a request, as it lies in the outbox. */
export type Message =
  | { readonly path: 'settle'; readonly used: number; readonly lease?: { readonly id: string; readonly asked: Asked } }
  | { readonly path: 'void'; readonly reason: string };

export class RedisError extends Error {}

/** The tenant's Redis: it survives gateways (append-only), may be out of reach, and may be flushed by somebody. */
export class SimulatedRedis {
  readonly #world: World;
  /** By gateway process: request id -> message. */
  readonly outboxes = new Map<string, Map<string, Message>>();
  /** By gateway process: when its lease ends, by the wall clock, as Redis itself does it. */
  readonly #leases = new Map<string, number>();
  readonly #gateways = new Set<string>();
  #awayUntilMs = 0;
  #roomUntilMs = Number.NEGATIVE_INFINITY;
  readonly #cutOffUntilMs = new Map<string, number>();
  /** Requests a message of which was ever stored, and those one of which was flushed away. */
  readonly stored = new Set<string>();
  readonly flushed = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Nothing lies here but the intents of leases that gateways have. */
  isEmpty(leases: ReadonlySet<string>): boolean {
    return [...this.outboxes.values()].every((outbox) => [...outbox.keys()].every((id) => leases.has(id)));
  }

  away(forMs: number): void {
    this.#awayUntilMs = Math.max(this.#awayUntilMs, this.#world.nowMs + forMs);
  }

  cutOff(pod: string, forMs: number): void {
    this.#cutOffUntilMs.set(pod, this.#world.nowMs + forMs);
  }

  wantRoom(by: Process, forMs: number): Promise<void> {
    return this.#call(by, 'none', () => {
      this.#roomUntilMs = this.#world.wallMs + forMs;
    });
  }

  roomWanted(by: Process): Promise<boolean> {
    return this.#call(by, 'none', () => this.#roomUntilMs > this.#world.wallMs);
  }

  flush(): void {
    this.#roomUntilMs = Number.NEGATIVE_INFINITY;
    for (const outbox of this.outboxes.values()) {
      for (const request of outbox.keys()) this.flushed.add(request);
    }
    this.outboxes.clear();
    this.#leases.clear();
    this.#gateways.clear();
  }

  /** A message never lies in an outbox that nobody knows of: both are stored in one step. */
  store(by: Process, request: string, message: Message, fault: 'none' | 'lost' | 'reply_lost'): Promise<void> {
    return this.#call(by, fault, () => {
      const outbox = this.outboxes.get(by.name) ?? new Map<string, Message>();
      this.outboxes.set(by.name, outbox.set(request, message));
      this.#gateways.add(by.name);
      this.stored.add(request);
    });
  }

  remove(by: Process, request: string): Promise<void> {
    return this.#call(by, 'none', () => {
      this.outboxes.get(by.name)?.delete(request);
    });
  }

  /** @returns every gateway known */
  renewLease(by: Process, forMs: number): Promise<string[]> {
    return this.#call(by, 'none', () => {
      this.#leases.set(by.name, this.#world.wallMs + forMs);
      this.#gateways.add(by.name);
      return [...this.#gateways].sort();
    });
  }

  /** Moves what a gateway without a lease left into the rescuer's outbox, in one step. */
  takeOver(by: Process, from: string): Promise<[string, Message][]> {
    return this.#call(by, 'none', () => {
      if ((this.#leases.get(from) ?? 0) > this.#world.wallMs) return [];
      const left = [...(this.outboxes.get(from) ?? [])];
      const own = this.outboxes.get(by.name) ?? new Map<string, Message>();
      for (const [request, message] of left) own.set(request, message);
      this.outboxes.set(by.name, own);
      this.outboxes.delete(from);
      this.#gateways.delete(from);
      return left;
    });
  }

  #call<Value>(by: Process, fault: 'none' | 'lost' | 'reply_lost', work: () => Value): Promise<Value> {
    return by.wait((resolve, reject) => {
      this.#world.after(ROUND_TRIP_MS, () => {
        const cutOff = this.#cutOffUntilMs.get(podOf(by.name)) ?? 0;
        const away = Math.max(this.#awayUntilMs, cutOff) > this.#world.nowMs;
        const fail = () => this.#world.after(TIMEOUT_MS, () => reject(new RedisError('no answer')));
        if (away || fault === 'lost') return fail();
        const value = work();
        if (fault === 'reply_lost') return fail();
        resolve(value);
      });
    });
  }
}

/** A pod keeps its name; each process in it has a name of its own. */
export function podOf(process: string): string {
  return process.slice(0, process.indexOf('.'));
}
