import type { LeaseOutcome } from '../ledger/leases.ts';
import type { AuthoriseOutcome, Budget, GrantOutcome, ReversalOutcome, SettleOutcome } from '../ledger/ledger.ts';
import type { RegisterOutcome } from '../registry/register-tenant.ts';
import type { FaultyDatabase } from './database.ts';
import { label } from './gateway.ts';
import type { Asked, GrantTerms, LedgerModel } from './model.ts';
import { type Observer, Violation } from './observer.ts';
import type { World } from './world.ts';

/** Statements and transactions that change the ledger; the others only read. */
const COMMITS = [
  'ledger_apply',
  'ledger_lease',
  'ledger_settle_leased',
  'ledger_add_grant',
  'ledger_reverse',
  'ledger_expire_overdue',
  'ledger_refresh_limits',
  'ledger_budget',
  'commit',
];

/** What of a tenant's registration the ledger cares about. */
export type Registered = { readonly monthlyBudget: number; readonly timeZone: string };

/** A request's operation: how the real ledger is asked, what of its answer counts, and what the model says. */
export type Operation<Real = unknown> = {
  readonly name: string;
  readonly request: string;
  readonly ends: boolean;
  readonly real: () => Promise<Real>;
  readonly factsOf: (real: Real) => unknown;
  readonly ideal: () => unknown;
};

/**
 * Lets the real ledger and the model do the same, one after the other, and compares: answers, where one came, and what
 * is stored, in any case. What the database never committed, the model does not do either.
 */
export class Judge {
  readonly #world: World;
  readonly #model: LedgerModel;
  readonly #observer: Observer;
  #registered: string;
  #revision: bigint;
  operations = 0;
  /** What was answered so far, by kind: what a campaign never saw, it proves nothing of. */
  readonly outcomes = new Set<string>();

  constructor(deps: {
    world: World;
    model: LedgerModel;
    observer: Observer;
    registered: Registered;
    revision: bigint;
  }) {
    this.#world = deps.world;
    this.#model = deps.model;
    this.#observer = deps.observer;
    this.#registered = JSON.stringify(deps.registered);
    this.#revision = deps.revision;
  }

  authorising(
    call: { from: string; request: string; asked: Asked; revision: bigint },
    real: () => Promise<AuthoriseOutcome>,
  ): Operation<AuthoriseOutcome> {
    const { from, request, asked, revision } = call;
    const { bound, user, key } = asked;
    const ideal = () => {
      const fresh = revision === this.#revision || this.#model.requests.has(request);
      if (fresh) return this.#model.authorise(request, asked, this.#atMs());
      this.#model.sweep(this.#atMs());
      return { outcome: 'stale' };
    };
    const name = `${from} authorise ${label(request)} ${bound} (${key}, user ${user})`;
    return { name, request, ends: false, real, factsOf: authoriseFacts, ideal };
  }

  settling(
    { from, request, used }: { from: string; request: string; used: number },
    real: () => Promise<SettleOutcome>,
  ): Operation<SettleOutcome> {
    const ideal = () => this.#model.settle(request, used, this.#atMs());
    return { name: `${from} settle ${label(request)} ${used}`, request, ends: true, real, factsOf: settleFacts, ideal };
  }

  settlingLeased(
    call: { from: string; request: string; used: number; lease: { id: string; asked: Asked } },
    real: () => Promise<SettleOutcome>,
  ): Operation<SettleOutcome> {
    const { from, request, used, lease } = call;
    const ideal = () => {
      const within = this.#model.draw(request, lease, used, this.#atMs());
      if (!within) throw new Violation(`${from} has spent more of lease ${label(lease.id)} than there was`);
      return this.#model.settle(request, used, this.#atMs());
    };
    const name = `${from} settle ${label(request)} ${used} within ${label(lease.id)}`;
    return { name, request, ends: true, real, factsOf: settleFacts, ideal };
  }

  async lease(
    database: FaultyDatabase,
    lease: { from: string; id: string; amount: number; revision: bigint; holdTtlMs: number },
    real: () => Promise<LeaseOutcome>,
  ): Promise<LeaseOutcome | undefined> {
    const { from, id, amount, revision, holdTtlMs } = lease;
    const terms = { amount, holdTtlMs, revision: Number(revision), fresh: revision === this.#revision };
    const ideal = () => this.#model.lease(id, terms, this.#atMs());
    return this.#compare(database, `${from} lease ${label(id)} ${amount}`, real, leaseFacts, ideal);
  }

  voiding({ from, request }: { from: string; request: string }, real: () => Promise<string>): Operation<string> {
    const ideal = () => this.#model.void(request, this.#atMs());
    return { name: `${from} void ${label(request)}`, request, ends: true, real, factsOf: (state) => state, ideal };
  }

  async grant(database: FaultyDatabase, terms: GrantTerms, real: () => Promise<GrantOutcome>): Promise<void> {
    const ideal = () => this.#model.grant(terms, this.#atMs());
    await this.#compare(database, `grant ${JSON.stringify(terms)}`, real, grantFacts, ideal);
  }

  async reverse(
    database: FaultyDatabase,
    { key, of, amount }: { key: string; of: { grant: string } | { request: string }; amount: number | null },
    real: () => Promise<ReversalOutcome>,
  ): Promise<void> {
    const ideal = () => this.#model.reverse(key, of, amount, this.#atMs());
    const name = `reverse ${JSON.stringify(of)} ${amount ?? 'all'} (${key})`;
    await this.#compare(database, name, real, reversalFacts, ideal);
  }

  async register(database: FaultyDatabase, wished: Registered, real: () => Promise<RegisterOutcome>): Promise<void> {
    const { monthlyBudget, timeZone } = wished;
    const ideal = () => {
      if (JSON.stringify(wished) === this.#registered) return 'unchanged';
      this.#registered = JSON.stringify(wished);
      this.#revision += 1n;
      this.#model.register(monthlyBudget, timeZone, this.#atMs());
      return 'changed';
    };
    const name = `register ${monthlyBudget} a month in ${timeZone}`;
    await this.#compare(database, name, real, ({ outcome }) => outcome, ideal);
  }

  async refreshLimits(database: FaultyDatabase, name: string, real: () => Promise<void>): Promise<void> {
    const ideal = () => {
      this.#model.refreshLimits(this.#atMs());
      return 'done';
    };
    await this.#compare(database, name, real, () => 'done', ideal);
  }

  async sweep(database: FaultyDatabase, real: () => Promise<number>): Promise<void> {
    const ideal = () => {
      if (database.ran.includes('ledger_expire_overdue')) return this.#model.sweep(this.#atMs());
      return this.#model.isDue(this.#world.wallMs) ? 'something, for it was due' : 0;
    };
    await this.#compare(database, 'sweep', real, (ended) => ended, ideal);
  }

  async budget(database: FaultyDatabase, real: () => Promise<Budget>): Promise<void> {
    const ideal = () => {
      if (this.#model.isDue(this.#world.wallMs)) this.#model.begin(this.#atMs());
      return { available: this.#model.available, resetsAtMs: this.#model.resetsAtMs };
    };
    const facts = (budget: Budget) => ({
      available: Number(budget.availableNanoEur),
      resetsAtMs: budget.resetsAt.getTime(),
    });
    await this.#compare(database, 'budget', real, facts, ideal);
  }

  async request<Real>(database: FaultyDatabase, operation: Operation<Real>): Promise<Real | undefined> {
    const { name, real, factsOf, ideal } = operation;
    return this.#compare(database, name, real, factsOf, () => {
      this.#model.ending = new Set(operation.ends ? [operation.request] : []);
      return ideal();
    });
  }

  /**
   * Operations of one instant. Each request is in a batch once; a batch is one transaction. What ends comes before what
   * begins, for it frees capacity; but while money waits to be taken back, they come as they arrived.
   */
  async together(database: FaultyDatabase, operations: readonly Operation[]): Promise<void> {
    this.operations += operations.length;
    const startedAt = database.ran.length;
    const answers = await Promise.all(operations.map(({ real }) => database.unlessLost(real)));
    const fates = database.ran.slice(startedAt);
    for (const [index, batch] of batches(operations).entries()) {
      const fate = fates[index];
      this.#world.log(`together: ${batch.map(({ name }) => name).join('; ')} -> ${fate}`);
      const expected = new Map<Operation, string>();
      if (fate === 'ledger_apply') {
        this.#model.begin(this.#atMs());
        const alone = this.#model.unsettled;
        const ends = new Set(batch.flatMap(({ ends, request }) => (ends ? [request] : [])));
        const ordered = alone ? batch : [...batch].sort((a, b) => Number(b.ends) - Number(a.ends));
        for (const operation of ordered) {
          this.#model.ending = alone ? new Set(operation.ends ? [operation.request] : []) : ends;
          expected.set(operation, JSON.stringify(operation.ideal()));
        }
      }
      for (const operation of batch) {
        const answer = answers[operations.indexOf(operation)];
        if (answer === undefined) continue;
        const facts = operation.factsOf(answer);
        this.outcomes.add(outcomeOf(facts));
        const given = JSON.stringify(facts);
        this.#world.log(`  ${operation.name} -> ${given}`);
        if (given !== expected.get(operation)) {
          throw new Violation(`${operation.name} gave ${given}, not ${expected.get(operation)}`);
        }
      }
    }
    await this.#observer.check(this.#model);
  }

  /** The account's own clock: the wall's, but never back. */
  #atMs(): number {
    return Math.max(this.#world.wallMs, this.#observer.changedAtMs);
  }

  async #compare<Real>(
    database: FaultyDatabase,
    name: string,
    real: () => Promise<Real>,
    factsOf: (real: Real) => unknown,
    ideal: () => unknown,
  ): Promise<Real | undefined> {
    this.operations += 1;
    const startedAt = database.ran.length;
    const answered = await database.unlessLost(async () => ({ answer: await real() }));
    const committed = database.ran.slice(startedAt).some((statement) => COMMITS.includes(statement));
    this.#model.ending = new Set();
    const expected =
      committed || answered !== undefined ? JSON.stringify(ideal()) : 'nothing: the transaction was lost';
    if (answered === undefined) {
      this.#world.log(`${name} -> no answer; stored: ${expected}`);
    } else {
      const facts = factsOf(answered.answer);
      this.outcomes.add(outcomeOf(facts));
      const given = JSON.stringify(facts);
      this.#world.log(`${name} -> ${given}`);
      if (given !== expected) throw new Violation(`${name} gave ${given}, not ${expected}`);
    }
    await this.#observer.check(this.#model);
    return answered?.answer;
  }
}

/** An answer without its figures. */
function outcomeOf(facts: unknown): string {
  if (typeof facts !== 'object' || facts === null) return String(facts);
  const { outcome, reason, scope, late, overrun } = facts as Record<string, unknown>;
  const words = [String(outcome).replace(/[0-9]+/, '…'), reason, scope, late ? 'late' : '', overrun ? 'overrun' : ''];
  return words.filter(Boolean).join(' ');
}

/** As the ledger's lane does it: the second operation on a request needs what the first one left. */
function batches(operations: readonly Operation[]): Operation[][] {
  const batch: Operation[] = [];
  const later: Operation[] = [];
  const requests = new Set<string>();
  for (const operation of operations) {
    (requests.has(operation.request) ? later : batch).push(operation);
    requests.add(operation.request);
  }
  return later.length === 0 ? [batch] : [batch, ...batches(later)];
}

function authoriseFacts(outcome: AuthoriseOutcome): unknown {
  if (outcome.outcome === 'granted') {
    const { holdNanoEur, expiresAt, unlimited } = outcome;
    return { outcome: 'granted', amount: Number(holdNanoEur), expiresAtMs: expiresAt.getTime(), unlimited };
  }
  if (outcome.outcome !== 'refused') return { outcome: outcome.outcome };
  const { reason, scope, askedNanoEur, grantedNanoEur, postedNanoEur, heldNanoEur } = outcome;
  const [amount, granted] = [Number(askedNanoEur), Number(grantedNanoEur)];
  return {
    outcome: 'refused',
    reason,
    scope,
    amount,
    granted,
    posted: Number(postedNanoEur),
    held: Number(heldNanoEur),
  };
}

function leaseFacts(outcome: LeaseOutcome): unknown {
  if (outcome.outcome !== 'granted') return { outcome: outcome.outcome };
  return { outcome: 'granted', left: Number(outcome.leftNanoEur) };
}

function settleFacts(outcome: SettleOutcome): unknown {
  if (outcome.outcome !== 'posted' && outcome.outcome !== 'replayed') return { outcome: outcome.outcome };
  const { totalNanoEur, postedNanoEur, overrunNanoEur, late } = outcome;
  const [used, posted, overrun] = [Number(totalNanoEur), Number(postedNanoEur), Number(overrunNanoEur)];
  return { outcome: outcome.outcome, used, posted, overrun, late };
}

function grantFacts(outcome: GrantOutcome): unknown {
  if (!('grant' in outcome) && outcome.outcome !== 'insufficient') return { outcome: outcome.outcome };
  if (outcome.outcome === 'insufficient') {
    return { outcome: 'insufficient', takeable: Number(outcome.takeableNanoEur) };
  }
  return { outcome: outcome.outcome, amount: Number(outcome.grant.amountNanoEur) };
}

function reversalFacts(outcome: ReversalOutcome): unknown {
  if (outcome.outcome === 'exceeds') return { outcome: `exceeds ${outcome.takeableNanoEur}` };
  if (outcome.outcome !== 'created' && outcome.outcome !== 'replayed') return { outcome: outcome.outcome };
  return { outcome: outcome.outcome, amount: Number(outcome.reversal.amountNanoEur) };
}
