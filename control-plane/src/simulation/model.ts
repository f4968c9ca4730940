import { monthEnd, monthOf } from './period.ts';

/** A request as the ledger should see it. */
export type ModelRequest = {
  state: 'held' | 'posted' | 'voided' | 'expired' | 'refused';
  /** Undefined: voided before it was ever asked for. */
  readonly asked: number | undefined;
  readonly user: number | null;
  readonly period: string;
  readonly expiresAtMs: number;
  readonly refusal?: Refusal;
  posted?: Posting;
};
export type Refusal = { reason: 'spent' | 'busy'; granted: number; posted: number; held: number };
export type Posting = { used: number; posted: number; overrun: number; late: boolean };

export type AuthoriseAnswer =
  | { outcome: 'granted'; expiresAtMs: number }
  | ({ outcome: 'refused' } & Refusal)
  | { outcome: 'conflict' | 'already_voided' | 'already_posted' | 'already_expired' };
export type SettleAnswer =
  | ({ outcome: 'posted' | 'replayed' } & Posting)
  | { outcome: 'conflict' | 'unknown' | 'not_authorised' };
export type GrantAnswer =
  | { outcome: 'created' | 'replayed'; amount: number }
  | { outcome: 'conflict' }
  | { outcome: 'insufficient'; takeable: number };

/**
 * The rules of a tenant's ledger as an accountant would tell them: one thread, plain numbers, no database. Every
 * operation of the real ledger is made here too, and both must agree on its answer and on the balance.
 */
export class LedgerModel {
  granted = 0;
  posted = 0;
  held = 0;
  overrun = 0;
  period: string;
  readonly requests = new Map<string, ModelRequest>();
  readonly #timeZone: string;
  readonly #holdTtlMs: number;
  readonly #grants = new Map<string, { payload: string; amount: number }>();
  #planTarget = 0;
  #planGranted = 0;
  /** Of what the plan gave in this period, what is not posted yet: it lapses with the period. */
  #planLeft = 0;
  /** Money of earlier plans that live holds of earlier periods still need, and how much those hold. */
  #earlierPlan = 0;
  #earlierHeld = 0;
  #postedBefore = 0;
  #restored = 0;

  constructor(timeZone: string, holdTtlMs: number, atMs: number) {
    this.#timeZone = timeZone;
    this.#holdTtlMs = holdTtlMs;
    this.period = monthOf(atMs, timeZone);
  }

  /** Whatever looks at the account first sees to it that its period is today's. */
  begin(atMs: number): void {
    if (atMs < monthEnd(this.period, this.#timeZone)) return;
    const planMoney = this.#planLeft + this.#earlierPlan;
    this.#earlierHeld = this.held;
    this.#earlierPlan = Math.min(planMoney, this.held);
    this.granted -= planMoney - this.#earlierPlan;
    this.#planLeft = 0;
    this.#planGranted = 0;
    this.period = monthOf(atMs, this.#timeZone);
    this.#postedBefore = this.posted;
    this.#restored = 0;
    this.#fillPlan();
  }

  authorise(id: string, asked: number, user: number | null, atMs: number): AuthoriseAnswer {
    this.begin(atMs);
    const known = this.requests.get(id);
    if (known !== undefined) {
      if (known.asked === undefined) return { outcome: 'already_voided' };
      if (known.asked !== asked || known.user !== user) return { outcome: 'conflict' };
      if (known.refusal !== undefined) return { outcome: 'refused', ...known.refusal };
      if (known.state === 'held' && known.expiresAtMs > atMs)
        return { outcome: 'granted', expiresAtMs: known.expiresAtMs };
      const end = known.state === 'held' ? 'expired' : known.state;
      return { outcome: `already_${end as 'voided' | 'posted' | 'expired'}` };
    }
    const base = { asked, user, period: this.period, expiresAtMs: atMs + this.#holdTtlMs };
    if (this.#available() < asked) this.#expire(atMs);
    if (this.#available() >= asked) {
      this.held += asked;
      this.requests.set(id, { ...base, state: 'held' });
      return { outcome: 'granted', expiresAtMs: base.expiresAtMs };
    }
    const reason = this.posted + asked <= this.granted ? 'busy' : 'spent';
    const refusal: Refusal = { reason, granted: this.granted, posted: this.posted, held: this.held };
    this.requests.set(id, { ...base, state: 'refused', refusal });
    return { outcome: 'refused', ...refusal };
  }

  settle(id: string, used: number, atMs: number): SettleAnswer {
    this.begin(atMs);
    const request = this.requests.get(id);
    if (request === undefined) return { outcome: 'unknown' };
    if (request.posted !== undefined) {
      return request.posted.used === used ? { outcome: 'replayed', ...request.posted } : { outcome: 'conflict' };
    }
    if (request.asked === undefined || request.state === 'refused') return { outcome: 'not_authorised' };
    const late = request.state !== 'held';
    const posted = Math.min(used, request.asked, late ? this.#available() : used);
    if (late) {
      this.#planLeft -= Math.min(this.#planLeft, posted);
    } else {
      this.held -= request.asked;
      if (request.period === this.period) {
        this.#planLeft -= Math.min(this.#planLeft, posted);
      } else {
        this.#earlierHeld -= request.asked;
        this.#earlierPlan -= Math.min(this.#earlierPlan, posted);
      }
    }
    this.posted += posted;
    this.overrun += used - posted;
    request.state = 'posted';
    request.posted = { used, posted, overrun: used - posted, late };
    this.#trim();
    return { outcome: 'posted', ...request.posted };
  }

  void(id: string, atMs: number): ModelRequest['state'] {
    this.begin(atMs);
    const request = this.requests.get(id);
    if (request === undefined) {
      this.requests.set(id, { state: 'voided', asked: undefined, user: null, period: this.period, expiresAtMs: 0 });
      return 'voided';
    }
    if (request.state === 'held') this.#release(request, 'voided');
    return request.state;
  }

  /** `amount` null: give back what the period has cost so far. */
  grant(key: string, source: string, amount: number | null, atMs: number): GrantAnswer {
    this.begin(atMs);
    const payload = `${source} ${amount}`;
    const known = this.#grants.get(key);
    if (known !== undefined) {
      return known.payload === payload ? { outcome: 'replayed', amount: known.amount } : { outcome: 'conflict' };
    }
    const given = amount ?? this.posted - this.#postedBefore - this.#restored;
    if (amount === null) {
      this.#planLeft += Math.min(given, this.#planGranted - this.#planLeft);
      this.#restored += given;
    } else if (amount < 0) {
      if (this.#available() < -amount) return { outcome: 'insufficient', takeable: this.#available() };
      const beyondTopUps = this.posted + this.#planLeft + this.#earlierPlan - this.granted - amount;
      this.#planLeft -= Math.max(0, beyondTopUps);
    }
    this.granted += given;
    this.#grants.set(key, { payload, amount: given });
    this.#trim();
    return { outcome: 'created', amount: given };
  }

  register(monthlyBudget: number, atMs: number): void {
    this.begin(atMs);
    this.#planTarget = monthlyBudget;
    this.#fillPlan();
    this.#trim();
  }

  /** @returns how many holds it ended */
  sweep(atMs: number): number {
    this.begin(atMs);
    return this.#expire(atMs);
  }

  /** @returns whether anything is held whose time is over */
  overdue(atMs: number): boolean {
    return [...this.requests.values()].some(({ state, expiresAtMs }) => state === 'held' && expiresAtMs <= atMs);
  }

  #available(): number {
    return this.granted - this.posted - this.held;
  }

  #expire(atMs: number): number {
    let ended = 0;
    for (const request of this.requests.values()) {
      if (request.state !== 'held' || request.expiresAtMs > atMs) continue;
      this.#release(request, 'expired');
      ended += 1;
    }
    return ended;
  }

  #release(request: ModelRequest, state: 'voided' | 'expired'): void {
    const asked = request.asked ?? 0;
    this.held -= asked;
    if (request.period !== this.period) this.#earlierHeld -= asked;
    request.state = state;
    this.#trim();
  }

  #fillPlan(): void {
    const missing = Math.max(0, this.#planTarget - this.#planGranted);
    this.#planGranted += missing;
    this.#planLeft += missing;
    this.granted += missing;
  }

  /** What the plan no longer gives, as far as it is neither posted nor held. */
  #trim(): void {
    const unneeded = Math.max(0, this.#earlierPlan - this.#earlierHeld);
    this.#earlierPlan -= unneeded;
    this.granted -= unneeded;
    const surplus = Math.min(this.#planGranted - this.#planTarget, this.#planLeft, this.#available());
    if (surplus <= 0) return;
    this.#planGranted -= surplus;
    this.#planLeft -= surplus;
    this.granted -= surplus;
  }
}
