/** Money of a grant, as long as it lasts. */
export type Lot = {
  readonly age: number;
  readonly grant: string;
  /** The period it lapses with, where a plan gave it. */
  readonly period: string | null;
  readonly priority: number;
  expiresAtMs: number;
  remaining: number;
  expired: boolean;
};
/** What was taken from which lot. */
export type Draw = { readonly lot: Lot; amount: number };
export type LiveHold = { readonly amount: number; readonly createdAtMs: number };

/** The money of an account by its origin: what is spent first, what lapses when. */
export class Lots {
  readonly #lots: Lot[] = [];

  add(lot: Omit<Lot, 'age' | 'expired'>): void {
    if (lot.remaining > 0) this.#lots.push({ ...lot, age: this.#lots.length, expired: false });
  }

  /** The end of a period has moved, and so has the end of what the plan gave in it. */
  moveEnd(period: string, expiresAtMs: number): void {
    for (const lot of this.#lots) if (lot.period === period && !lot.expired) lot.expiresAtMs = expiresAtMs;
  }

  expire(atMs: number): void {
    for (const lot of this.#lots) if (lot.expiresAtMs <= atMs) lot.expired = true;
  }

  isDue(atMs: number): boolean {
    return this.#lots.some((lot) => !lot.expired && lot.remaining > 0 && lot.expiresAtMs <= atMs);
  }

  /** Takes what is posted: from lots on their last legs first, and of those only what the hold was made in time for. */
  spend(amount: number, sinceMs: number): Draw[] {
    const usable = this.#lots.filter((lot) => !lot.expired || lot.expiresAtMs > sinceMs);
    return take(usable.sort(bySpending), amount);
  }

  /** A correction takes what would have been spent last. */
  takeLast(amount: number): void {
    take(
      this.#lots
        .filter((lot) => !lot.expired)
        .sort(bySpending)
        .reverse(),
      amount,
    );
  }

  takeOfGrant(grant: string, amount: number): void {
    take(
      this.#lots.filter((lot) => lot.grant === grant && !lot.expired),
      amount,
    );
  }

  ofGrant(grant: string): number {
    return sum(this.#lots.filter((lot) => lot.grant === grant && !lot.expired));
  }

  /** What the plan gave in a period and nobody has spent. */
  ofPeriod(period: string): number {
    return sum(this.#lots.filter((lot) => lot.period === period && !lot.expired));
  }

  takeOfPeriod(period: string, amount: number): void {
    take(this.#lots.filter((lot) => lot.period === period && !lot.expired).reverse(), amount);
  }

  get expiredRemaining(): number {
    return sum(this.#lots.filter((lot) => lot.expired));
  }

  /** Takes back what expired and no live hold made in time can need. @returns how much */
  lapse(holds: readonly LiveHold[]): number {
    let [kept, lapsed] = [0, 0];
    const expired = this.#lots.filter((lot) => lot.expired && lot.remaining > 0);
    for (const lot of expired.sort((a, b) => a.expiresAtMs - b.expiresAtMs || a.age - b.age)) {
      const inTime = holds.filter((hold) => hold.createdAtMs < lot.expiresAtMs);
      const needed = inTime.reduce((total, hold) => total + hold.amount, 0) - kept;
      const keep = Math.max(0, Math.min(lot.remaining, needed));
      lapsed += lot.remaining - keep;
      lot.remaining = keep;
      kept += keep;
    }
    return lapsed;
  }
}

function take(lots: readonly Lot[], amount: number): Draw[] {
  const draws: Draw[] = [];
  let rest = amount;
  for (const lot of lots) {
    const part = Math.min(rest, lot.remaining);
    if (part === 0) continue;
    lot.remaining -= part;
    rest -= part;
    draws.push({ lot, amount: part });
  }
  if (rest > 0) throw new Error(`the model’s lots lack ${rest}`);
  return draws;
}

function bySpending(a: Lot, b: Lot): number {
  if (a.expired !== b.expired) return a.expired ? -1 : 1;
  if (a.expired && a.expiresAtMs !== b.expiresAtMs) return a.expiresAtMs - b.expiresAtMs;
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.expiresAtMs !== b.expiresAtMs) return a.expiresAtMs < b.expiresAtMs ? -1 : 1;
  return a.age - b.age;
}

function sum(lots: readonly Lot[]): number {
  return lots.reduce((total, { remaining }) => total + remaining, 0);
}
