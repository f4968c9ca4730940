import { type Draw, Lots } from './lots.ts';
import { monthEnd, monthOf } from './period.ts';
import type { SubBudgets, Subject } from './sub-budgets.ts';

/** What a request asks for: at most this, by this user, with this key; and how to make do with less. */
export type Asked = {
  readonly bound: number;
  readonly user: number | null;
  readonly key: 'chat' | 'api';
  readonly clamp: { readonly min: number; readonly step: number } | null;
};
/** A request as the ledger should see it. */
export type ModelRequest = {
  state: 'held' | 'posted' | 'voided' | 'expired' | 'refused';
  /** Undefined: voided before it was ever asked for. */
  readonly asked: Asked | undefined;
  /** Of a lease: what is left of it. */
  amount: number;
  readonly period: string;
  readonly createdAtMs: number;
  expiresAtMs: number;
  /** A lease: the tenant's revision that it was made on. */
  readonly lease?: number;
  readonly refusal?: Refusal;
  posting?: Posting;
};
export type Refusal = {
  readonly reason: 'spent' | 'busy';
  readonly scope: 'tenant' | 'user' | 'key';
  readonly amount: number;
  readonly granted: number;
  readonly posted: number;
  readonly held: number;
};
type Posting = {
  readonly used: number;
  readonly posted: number;
  readonly late: boolean;
  readonly period: string;
  readonly draws: readonly Draw[];
  refunded: number;
};

export type GrantTerms = {
  readonly key: string;
  readonly source: 'top_up' | 'promotion' | 'correction';
  readonly amount: number | null;
  readonly priority: number | null;
  readonly expiresAtMs: number | null;
};

type Reversed = { readonly outcome: string; readonly amount?: number };

const PLAN_PRIORITY = 10;
const PRIORITIES = { promotion: 20, top_up: 30, correction: 30 } as const;
/** A lease is at most this part of what is free, and at least that part of what was wished. */
const LEASE_SHARE = 10;
const LEAST_LEASE_PART = 4;
const NEVER_MS = Number.POSITIVE_INFINITY;

/**
 * The rules of a tenant's ledger as an accountant would tell them: one thread, plain numbers, no database. Every
 * operation of the real ledger is made here too, and both must agree on its answer and on every balance.
 */
export class LedgerModel {
  granted = 0;
  posted = 0;
  held = 0;
  overrun = 0;
  period: string;
  readonly requests = new Map<string, ModelRequest>();
  /** Requests that the operations under way end: their holds do not run out under them. */
  ending: ReadonlySet<string> = new Set();
  readonly subs: SubBudgets;
  #timeZone: string;
  #endsAtMs: number;
  readonly #holdTtlMs: number;
  readonly #lots = new Lots();
  readonly #grants = new Map<string, { payload: string; amount: number; revoked: number }>();
  readonly #reversals = new Map<string, { payload: string; amount: number }>();
  #planTarget = 0;
  #planGranted = 0;
  #postedBefore = 0;
  #restored = 0;

  constructor(options: { timeZone: string; holdTtlMs: number; atMs: number; subs: SubBudgets }) {
    this.#timeZone = options.timeZone;
    this.#holdTtlMs = options.holdTtlMs;
    this.period = monthOf(options.atMs, options.timeZone);
    this.#endsAtMs = monthEnd(this.period, options.timeZone);
    this.subs = options.subs;
  }

  /** Whatever looks at the account first sees to what has fallen due: lots expire, a new period begins. */
  begin(atMs: number): void {
    this.#lots.expire(atMs);
    this.#trim();
    if (atMs < this.#endsAtMs) return;
    const month = monthOf(atMs, this.#timeZone);
    if (month > this.period) this.period = month;
    this.#endsAtMs = monthEnd(this.period, this.#timeZone);
    this.#postedBefore = this.posted;
    this.#restored = 0;
    this.#planGranted = 0;
    this.#fillPlan();
  }

  authorise(id: string, asked: Asked, atMs: number): object {
    this.begin(atMs);
    this.#expire(atMs);
    const known = this.requests.get(id);
    if (known !== undefined) return this.#askedAgain(known, asked);
    if (!this.subs.seats(asked)) return { outcome: 'seats_taken' };
    const [user, key] = this.subs.open(this.period, asked);
    const available = this.available;
    const rest = Math.max(0, Math.min(available, user?.free ?? available, key?.free ?? available));
    const amount = asked.bound > rest ? clamped(asked, rest) : asked.bound;
    const base = { asked, amount, period: this.period, createdAtMs: atMs, expiresAtMs: atMs + this.#holdTtlMs };
    if (amount <= rest) {
      this.requests.set(id, { ...base, state: 'held' });
      this.held += amount;
      for (const sub of [user, key]) if (sub !== undefined) sub.held += amount;
      return { outcome: 'granted', amount, expiresAtMs: base.expiresAtMs, unlimited: isUnlimited(user, key) };
    }
    const refusal = this.#refusal(amount, user, key);
    this.requests.set(id, { ...base, state: 'refused', refusal });
    return { outcome: 'refused', ...refusal };
  }

  settle(id: string, used: number, atMs: number): object {
    this.begin(atMs);
    this.#expire(atMs);
    const request = this.requests.get(id);
    if (request === undefined) return { outcome: 'unknown' };
    if (request.posting !== undefined) {
      return request.posting.used === used
        ? { outcome: 'replayed', ...billed(request.posting) }
        : { outcome: 'conflict' };
    }
    if (request.asked === undefined || request.state === 'refused') return { outcome: 'not_authorised' };
    const subs = this.subs.open(request.period, request.asked);
    const late = request.state !== 'held';
    let posted = Math.min(used, request.amount);
    // Its hold was given back already: what is free now is all that there is.
    if (late) posted = Math.max(0, Math.min(posted, this.available, ...subs.map((sub) => sub?.free ?? posted)));
    const draws = this.#lots.spend(posted, late ? atMs : request.createdAtMs);
    const released = late ? 0 : request.amount;
    this.posted += posted;
    this.held -= released;
    this.overrun += used - posted;
    for (const sub of subs) {
      if (sub === undefined) continue;
      sub.posted += posted;
      sub.held -= released;
    }
    request.state = 'posted';
    request.posting = { used, posted, late, period: this.period, draws, refunded: 0 };
    this.#trim();
    return { outcome: 'posted', ...billed(request.posting) };
  }

  /** A slice for a gateway; asked for again, it lasts longer. */
  lease(
    id: string,
    terms: { amount: number; holdTtlMs: number; revision: number; fresh: boolean },
    atMs: number,
  ): object {
    this.begin(atMs);
    this.#expire(atMs);
    const known = this.requests.get(id);
    const expiresAtMs = atMs + terms.holdTtlMs;
    if (known !== undefined && (known.state !== 'held' || known.lease === undefined)) return { outcome: 'ended' };
    if (!terms.fresh) return { outcome: 'stale' };
    if (known !== undefined) {
      const large = known.amount * LEASE_SHARE > 2 * (this.available + known.amount);
      const changed = known.lease !== terms.revision || known.period !== this.period;
      if (large || changed || this.unsettled) return { outcome: 'denied' };
      known.expiresAtMs = Math.max(known.expiresAtMs, expiresAtMs);
      return { outcome: 'granted', left: known.amount };
    }
    const amount = Math.min(terms.amount, Math.floor(this.available / LEASE_SHARE));
    if (amount < Math.floor(terms.amount / LEAST_LEASE_PART)) return { outcome: 'denied' };
    const { period } = this;
    const lease = { asked: undefined, amount, period, createdAtMs: atMs, expiresAtMs, lease: terms.revision };
    this.requests.set(id, { ...lease, state: 'held' });
    this.held += amount;
    return { outcome: 'granted', left: amount };
  }

  /**
   * What a call that was made within a lease cost moves from the lease to a hold of its own; no total changes.
   * @returns false when the lease lives and has not that much: its gateway spent more than it had
   */
  draw(id: string, lease: { readonly id: string; readonly asked: Asked }, used: number, atMs: number): boolean {
    this.begin(atMs);
    const ending = this.ending;
    this.ending = new Set([id, lease.id]);
    this.#expire(atMs);
    this.ending = ending;
    const known = this.requests.get(id);
    const from = this.requests.get(lease.id);
    if (known?.asked !== undefined || from === undefined) return true;
    const { asked } = lease;
    const amount = Math.min(used, asked.bound);
    if (from.state !== 'held' || from.amount < amount) {
      const late = { asked, amount, period: this.period, createdAtMs: atMs, expiresAtMs: 0 };
      this.requests.set(id, { ...late, state: 'expired' });
      return from.state !== 'held';
    }
    from.amount -= amount;
    const { period, createdAtMs } = from;
    const expiresAtMs = atMs + this.#holdTtlMs;
    this.requests.set(id, { asked, amount, period, createdAtMs, expiresAtMs, state: 'held' });
    for (const sub of this.subs.open(period, asked)) if (sub !== undefined) sub.held += amount;
    return true;
  }

  void(id: string, atMs: number): ModelRequest['state'] {
    this.begin(atMs);
    this.#expire(atMs);
    const request = this.requests.get(id);
    if (request === undefined) {
      const never = { asked: undefined, amount: 0, period: this.period, createdAtMs: atMs, expiresAtMs: 0 };
      this.requests.set(id, { ...never, state: 'voided' });
      return 'voided';
    }
    if (request.state === 'held') this.#release(request, 'voided');
    return request.state;
  }

  /** An amount of null gives back what the period has cost so far. */
  grant(terms: GrantTerms, atMs: number): object {
    this.begin(atMs);
    const payload = JSON.stringify(terms);
    const known = this.#grants.get(terms.key);
    if (known !== undefined) {
      return known.payload === payload ? { outcome: 'replayed', amount: known.amount } : { outcome: 'conflict' };
    }
    if (terms.expiresAtMs !== null && terms.expiresAtMs <= atMs) return { outcome: 'expired' };
    let ofPlan = 0;
    let amount = terms.amount ?? 0;
    if (terms.amount === null) {
      amount = Math.max(0, this.posted - this.#postedBefore - this.#restored);
      ofPlan = Math.min(amount, Math.max(0, this.#planGranted - this.#lots.ofPeriod(this.period)));
      this.#restored += amount;
    } else if (amount < 0) {
      if (this.available < -amount) return { outcome: 'insufficient', takeable: this.available };
      this.#lots.takeLast(-amount);
    }
    this.#bring(terms.key, ofPlan);
    this.#lots.add({
      grant: terms.key,
      period: null,
      priority: terms.priority ?? PRIORITIES[terms.source],
      expiresAtMs: terms.expiresAtMs ?? NEVER_MS,
      remaining: amount - ofPlan,
    });
    this.granted += amount;
    this.#grants.set(terms.key, { payload, amount, revoked: 0 });
    this.#trim();
    return { outcome: 'created', amount };
  }

  /** Takes back a grant of `of`'s key, or the posting of that request. An amount of null: as much as is left of it. */
  reverse(key: string, of: { grant: string } | { request: string }, amount: number | null, atMs: number): object {
    this.begin(atMs);
    const payload = JSON.stringify([of, amount]);
    const known = this.#reversals.get(key);
    if (known !== undefined) {
      return known.payload === payload ? { outcome: 'replayed', amount: known.amount } : { outcome: 'conflict' };
    }
    const reversed = 'grant' in of ? this.#revoke(of.grant, amount) : this.#refund(of.request, amount, atMs);
    if (reversed.amount !== undefined) this.#reversals.set(key, { payload, amount: reversed.amount });
    this.#trim();
    return reversed;
  }

  /**
   * A tenant that moves to another time zone takes its month along: first the month's end moves, then it may be over. It
   * is never over before now, for what was held until now was held in it.
   */
  register(monthlyBudget: number, timeZone: string, atMs: number): void {
    this.#timeZone = timeZone;
    if (this.#endsAtMs !== monthEnd(this.period, timeZone)) {
      this.#endsAtMs = Math.max(monthEnd(this.period, timeZone), atMs + 1);
      this.#lots.moveEnd(this.period, this.#endsAtMs);
    }
    this.begin(atMs);
    this.#planTarget = monthlyBudget;
    this.#fillPlan();
    this.#trim();
    this.subs.refresh(this.period);
  }

  refreshLimits(atMs: number): void {
    this.begin(atMs);
    this.subs.refresh(this.period);
  }

  /** @returns how many holds it ended */
  sweep(atMs: number): number {
    this.begin(atMs);
    return this.#expire(atMs);
  }

  /** Whether the clock has brought something about that nobody has looked at. */
  isDue(atMs: number): boolean {
    const overdue = [...this.requests.values()].some(
      ({ state, expiresAtMs }) => state === 'held' && expiresAtMs <= atMs,
    );
    return overdue || atMs >= this.#endsAtMs || this.#lots.isDue(atMs);
  }

  get resetsAtMs(): number {
    return this.#endsAtMs;
  }

  /** Whether money waits to be taken back as soon as live holds free it. */
  get unsettled(): boolean {
    return (
      this.#lots.expiredRemaining > 0 || (this.#planGranted > this.#planTarget && this.#lots.ofPeriod(this.period) > 0)
    );
  }

  get available(): number {
    return this.granted - this.posted - this.held;
  }

  #askedAgain(known: ModelRequest, asked: Asked): object {
    if (known.asked === undefined) return { outcome: 'already_voided' };
    if (JSON.stringify(known.asked) !== JSON.stringify(asked)) return { outcome: 'conflict' };
    if (known.refusal !== undefined) return { outcome: 'refused', ...known.refusal };
    if (known.state !== 'held') return { outcome: `already_${known.state}` };
    const unlimited = isUnlimited(...this.subs.open(known.period, asked));
    return { outcome: 'granted', amount: known.amount, expiresAtMs: known.expiresAtMs, unlimited };
  }

  /** Whose budget it exceeds: one that is spent before one that is only busy, for waiting would not help. */
  #refusal(amount: number, user: Subject | undefined, key: Subject | undefined): Refusal {
    const tenant = { limit: this.granted, posted: this.posted, held: this.held, free: this.available };
    const budgets = [
      { scope: 'tenant' as const, sub: tenant },
      { scope: 'user' as const, sub: user },
      { scope: 'key' as const, sub: key },
    ].flatMap(({ scope, sub }) => (sub === undefined || sub.limit === null ? [] : [{ scope, sub, limit: sub.limit }]));
    const spent = budgets.find(({ sub, limit }) => sub.posted + amount > limit);
    const { scope, sub, limit } =
      spent ?? budgets.find((budget) => (budget.sub.free ?? 0) < amount) ?? budgets[0] ?? fail();
    const reason = spent === undefined ? 'busy' : 'spent';
    return { reason, scope, amount, granted: limit, posted: sub.posted, held: sub.held };
  }

  #revoke(key: string, asked: number | null): Reversed {
    const grant = this.#grants.get(key);
    if (grant === undefined) return { outcome: 'unknown' };
    if (grant.amount <= 0) return { outcome: 'not_reversible' };
    const most = Math.min(grant.amount - grant.revoked, this.#lots.ofGrant(key), this.available);
    const amount = asked ?? most;
    if (amount > most || amount === 0) return { outcome: `exceeds ${most}` };
    this.#lots.takeOfGrant(key, amount);
    this.granted -= amount;
    grant.revoked += amount;
    return { outcome: 'created', amount };
  }

  #refund(id: string, asked: number | null, atMs: number): Reversed {
    const request = this.requests.get(id);
    const posting = request?.posting;
    if (request?.asked === undefined || posting === undefined) return { outcome: 'unknown' };
    const most = posting.posted - posting.refunded;
    const amount = asked ?? most;
    if (amount > most || amount === 0) return { outcome: `exceeds ${most}` };
    let rest = amount;
    // What was drawn last goes back first; what came from a lot that has expired meanwhile lapses.
    for (const draw of [...posting.draws].reverse()) {
      const part = Math.min(rest, draw.amount);
      draw.lot.remaining += part;
      draw.amount -= part;
      rest -= part;
    }
    posting.refunded += amount;
    this.posted -= amount;
    if (posting.period !== this.period) this.#postedBefore -= amount;
    for (const sub of this.subs.open(request.period, request.asked)) if (sub !== undefined) sub.posted -= amount;
    this.#lots.expire(atMs);
    return { outcome: 'created', amount };
  }

  #expire(atMs: number): number {
    let ended = 0;
    for (const [id, request] of this.requests) {
      if (request.state !== 'held' || request.expiresAtMs > atMs || this.ending.has(id)) continue;
      this.#release(request, 'expired');
      ended += 1;
    }
    return ended;
  }

  #release(request: ModelRequest, state: 'voided' | 'expired'): void {
    request.state = state;
    this.held -= request.amount;
    if (request.asked !== undefined) {
      for (const sub of this.subs.open(request.period, request.asked))
        if (sub !== undefined) sub.held -= request.amount;
    }
    this.#trim();
  }

  #fillPlan(): void {
    const missing = Math.max(0, this.#planTarget - this.#planGranted);
    this.#planGranted += missing;
    this.#bring(`plan ${this.period}`, missing);
    this.granted += missing;
  }

  /** Money that lapses with the period. */
  #bring(grant: string, amount: number): void {
    const expiresAtMs = this.#endsAtMs;
    this.#lots.add({ grant, period: this.period, priority: PLAN_PRIORITY, expiresAtMs, remaining: amount });
  }

  /** What is no longer given, as far as it is neither posted nor held. */
  #trim(): void {
    const holds = [...this.requests.values()].filter(({ state }) => state === 'held');
    this.granted -= this.#lots.lapse(holds);
    const surplus = Math.min(this.#planGranted - this.#planTarget, this.#lots.ofPeriod(this.period), this.available);
    if (surplus <= 0) return;
    this.#planGranted -= surplus;
    this.#lots.takeOfPeriod(this.period, surplus);
    this.granted -= surplus;
  }
}

function clamped({ bound, clamp }: Asked, rest: number): number {
  if (clamp === null) return bound;
  return clamp.min + Math.max(0, Math.floor((rest - clamp.min) / clamp.step)) * clamp.step;
}

function isUnlimited(...subs: (Subject | undefined)[]): boolean {
  return subs.every((sub) => sub === undefined || sub.limit === null);
}

function billed({ used, posted, late }: Posting): object {
  return { used, posted, overrun: used - posted, late };
}

function fail(): never {
  throw new Error('a refusal without a budget that refuses');
}
