import { createHash } from 'node:crypto';
import type { Asked } from './model.ts';
import type { Message } from './redis.ts';
import type { Answer, GatewayOperation } from './replica.ts';
import type { Process, World } from './world.ts';

/** The limits of the hook's Reserve under its own names; a test compares them. */
export const RESERVE_LIMITS = {
  RENEWAL_SECONDS: 10,
  ROOM_SECONDS: 30,
  RESERVE_PAUSE_SECONDS: 60,
  CALLER_SECONDS: 900,
} as const;

/** A slice of the budget as its gateway knows it. */
export type HeldLease = {
  readonly id: string;
  readonly amount: number;
  untilMs: number;
  left: number;
  /** Under way. */
  calls: number;
};

/** A call that was made within a lease. */
export type LeasedCall = { readonly lease: HeldLease; readonly bound: number };

export type ReserveDeps = {
  readonly world: World;
  readonly process: Process;
  /** Rejects when the control plane does not answer. */
  readonly post: (operation: GatewayOperation) => Promise<Answer>;
  /** Stores the void of a lease, to be sent should this process vanish. @returns whether Redis did it */
  readonly intend: (leaseId: string) => Promise<boolean>;
  /** Asks all gateways to give their leases back; whether somebody did lately. */
  readonly wantRoom: () => Promise<unknown>;
  readonly roomWanted: () => Promise<boolean>;
  readonly deliver: (id: string, message: Message | undefined) => void;
  /** Whether a call that was made within this lease is still to be told. */
  readonly awaits: (leaseId: string) => boolean;
  /** A planted bug: what is lent is not counted. */
  readonly overspends: boolean;
};

/** The hook's Reserve, line by line: one lease while calls are made, spent from while the control plane is away. */
export class Reserve {
  readonly #deps: ReserveDeps;
  readonly #retired: HeldLease[] = [];
  readonly #callers = new Map<string, number>();
  #lease: HeldLease | undefined;
  #taken = 0;
  #authorisedAtMs = Number.NEGATIVE_INFINITY;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #returnedAtMs = Number.NEGATIVE_INFINITY;
  #returning: Promise<void> | undefined;
  #want: () => void = () => {};
  #keeping = false;

  constructor(deps: ReserveDeps) {
    this.#deps = deps;
    void this.#live();
  }

  get leaseId(): string | undefined {
    return this.#lease?.id;
  }

  get isIdle(): boolean {
    return this.#retired.length === 0 && !this.#keeping;
  }

  authorised(asked: Asked, leasable: boolean): void {
    this.#callers.delete(callerOf(asked));
    if (!leasable) return;
    this.#authorisedAtMs = this.#nowMs;
    this.#callers.set(callerOf(asked), this.#authorisedAtMs);
    if (this.#lease === undefined && this.#pausedUntilMs < this.#authorisedAtMs) this.#want();
  }

  /** The call, if it may be made within the lease: it counts there from now on. */
  lend(asked: Asked): LeasedCall | undefined {
    const lease = this.#lease;
    const knownAtMs = this.#callers.get(callerOf(asked)) ?? Number.NEGATIVE_INFINITY;
    if (lease === undefined || lease.untilMs < this.#nowMs || asked.bound > lease.left) return undefined;
    if (knownAtMs <= this.#nowMs - RESERVE_LIMITS.CALLER_SECONDS * 1000) return undefined;
    if (!this.#deps.overspends) lease.left -= asked.bound;
    lease.calls += 1;
    return { lease, bound: asked.bound };
  }

  ended({ lease, bound }: LeasedCall, message: Message | undefined): void {
    if (!this.#deps.overspends) lease.left += bound - (message?.path === 'settle' ? message.used : 0);
    lease.calls -= 1;
  }

  /** Frees what gateways hold, what is held here at once. @returns whether anything came free after `sinceMs` */
  async giveBack(sinceMs: number): Promise<boolean> {
    if (this.#authorisedAtMs !== Number.NEGATIVE_INFINITY) await this.#deps.wantRoom();
    await this.#giveBackOurs();
    return this.#returnedAtMs > sinceMs;
  }

  async #giveBackOurs(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease !== undefined) {
      this.#pausedUntilMs = this.#nowMs + RESERVE_LIMITS.RESERVE_PAUSE_SECONDS * 1000;
      if (lease.calls > 0 || this.#deps.awaits(lease.id)) this.#retired.push(lease);
      else this.#returning = this.#return(lease);
    }
    await this.#returning;
  }

  async #return(lease: HeldLease): Promise<void> {
    const message = { path: 'void', reason: 'lease_returned' } as const;
    const answer = await this.#answered({ kind: 'void', request: lease.id, reason: message.reason });
    if (answer !== undefined) this.#returnedAtMs = this.#nowMs;
    this.#deps.deliver(lease.id, message);
  }

  async #live(): Promise<void> {
    for (;;) {
      const wanted = new Promise<void>((resolve) => {
        this.#want = resolve;
      });
      this.#keeping = true;
      await this.#keep();
      this.#keeping = false;
      await Promise.race([wanted, this.#deps.process.sleep(RESERVE_LIMITS.RENEWAL_SECONDS * 1000)]);
    }
  }

  async #keep(): Promise<void> {
    const { deliver, awaits, intend } = this.#deps;
    const nowMs = this.#nowMs;
    let lease = this.#lease;
    const idle = this.#authorisedAtMs < nowMs - RESERVE_LIMITS.CALLER_SECONDS * 1000;
    if (lease !== undefined && lease.calls === 0 && !awaits(lease.id) && (idle || lease.left * 2 < lease.amount)) {
      this.#retire(lease);
      lease = undefined;
    }
    for (const retired of this.#retired.filter(({ calls }) => calls === 0)) {
      this.#retired.splice(this.#retired.indexOf(retired), 1);
      deliver(retired.id, { path: 'void', reason: 'lease_returned' });
    }
    if (idle || (lease === undefined && nowMs < this.#pausedUntilMs)) return;
    if (await this.#deps.roomWanted()) return this.#giveBackOurs();
    const id = lease?.id ?? this.#nextId();
    const answer =
      lease === undefined && !(await intend(id)) ? undefined : await this.#answered({ kind: 'lease', request: id });
    const paused = nowMs + RESERVE_LIMITS.RESERVE_PAUSE_SECONDS * 1000;
    if (answer === undefined) {
      if (lease !== undefined) return;
      this.#pausedUntilMs = paused;
      deliver(id, { path: 'void', reason: 'lease_returned' });
    } else if (answer.lease !== undefined) {
      if (lease === undefined) {
        lease = { id, amount: answer.lease.left, left: answer.lease.left, untilMs: 0, calls: 0 };
        this.#lease = lease;
      }
      lease.untilMs = nowMs + answer.lease.seconds * 1000;
    } else if (lease !== undefined) {
      this.#retire(lease);
    } else {
      this.#pausedUntilMs = paused;
      deliver(id, undefined);
    }
  }

  #retire(lease: HeldLease): void {
    this.#retired.push(lease);
    if (this.#lease === lease) this.#lease = undefined;
  }

  async #answered(operation: GatewayOperation): Promise<Answer | undefined> {
    try {
      return await this.#deps.post(operation);
    } catch {
      return undefined;
    }
  }

  #nextId(): string {
    this.#taken += 1;
    return derivedId(`${this.#deps.process.name} ${this.#taken}`);
  }

  get #nowMs(): number {
    return this.#deps.world.nowMs;
  }
}

/** A UUID made of a name, so that the same seed names things the same. */
export function derivedId(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function callerOf({ key, user }: Asked): string {
  return `${key} ${key === 'api' ? null : user}`;
}
