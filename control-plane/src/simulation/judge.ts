import type { TenantRecord } from '../catalogue/tenant-record.ts';
import type { AuthoriseOutcome, Budget, GrantOutcome, SettleOutcome } from '../ledger/ledger.ts';
import type { RegisterOutcome } from '../registry/register-tenant.ts';
import type { FaultyDatabase } from './database.ts';
import { label } from './gateway.ts';
import type { LedgerModel } from './model.ts';
import { type Observer, Violation } from './observer.ts';
import { monthEnd } from './period.ts';
import type { OperationStep } from './scenario.ts';
import type { World } from './world.ts';

/** Statements and transactions that change the ledger; the others only read. */
const COMMITS = [
  'ledger_authorise',
  'ledger_settle',
  'ledger_void',
  'ledger_add_grant',
  'ledger_sweep',
  'ledger_budget',
  'commit',
];

/**
 * Lets the real ledger and the model do the same, one after the other, and compares: answers, where one came, and what
 * is stored, in any case. What the database never committed, the model does not do either.
 */
export class Judge {
  readonly #world: World;
  readonly #model: LedgerModel;
  readonly #observer: Observer;
  readonly #timeZone: string;
  #monthlyBudget: number;
  #revision: bigint;
  operations = 0;

  constructor(deps: {
    world: World;
    model: LedgerModel;
    observer: Observer;
    timeZone: string;
    monthlyBudget: number;
    record: TenantRecord;
  }) {
    this.#world = deps.world;
    this.#model = deps.model;
    this.#observer = deps.observer;
    this.#timeZone = deps.timeZone;
    this.#monthlyBudget = deps.monthlyBudget;
    this.#revision = deps.record.revision;
  }

  authorise(
    database: FaultyDatabase,
    call: { from: string; request: string; bound: number; user: number | null; record: TenantRecord },
    real: () => Promise<AuthoriseOutcome>,
  ): Promise<AuthoriseOutcome | undefined> {
    const { request, bound, user, record } = call;
    const name = `${call.from} authorise ${label(request)} ${bound}`;
    const ideal = () => {
      if (record.revision === this.#revision || this.#model.requests.has(request)) {
        return this.#model.authorise(request, bound, user, this.#atMs());
      }
      this.#model.begin(this.#atMs());
      return { outcome: 'stale' };
    };
    return this.#compare(database, name, real, authoriseFacts, ideal);
  }

  settle(
    database: FaultyDatabase,
    call: { from: string; request: string; used: number },
    real: () => Promise<SettleOutcome>,
  ): Promise<SettleOutcome | undefined> {
    const name = `${call.from} settle ${label(call.request)} ${call.used}`;
    const ideal = () => this.#model.settle(call.request, call.used, this.#atMs());
    return this.#compare(database, name, real, settleFacts, ideal);
  }

  void(
    database: FaultyDatabase,
    call: { from: string; request: string },
    real: () => Promise<string>,
  ): Promise<string | undefined> {
    const ideal = () => this.#model.void(call.request, this.#atMs());
    return this.#compare(database, `${call.from} void ${label(call.request)}`, real, (state) => state, ideal);
  }

  async grant(
    database: FaultyDatabase,
    { key, source, amount }: OperationStep & { kind: 'grant' },
    real: () => Promise<GrantOutcome>,
  ): Promise<void> {
    const ideal = () => this.#model.grant(key, source, amount, this.#atMs());
    await this.#compare(database, `grant ${source} ${amount ?? 'reset'} (${key})`, real, grantFacts, ideal);
  }

  async register(database: FaultyDatabase, monthlyBudget: number, real: () => Promise<RegisterOutcome>): Promise<void> {
    const ideal = () => {
      if (monthlyBudget === this.#monthlyBudget) return 'unchanged';
      this.#monthlyBudget = monthlyBudget;
      this.#revision += 1n;
      this.#model.register(monthlyBudget, this.#atMs());
      return 'changed';
    };
    await this.#compare(database, `register ${monthlyBudget} a month`, real, ({ outcome }) => outcome, ideal);
  }

  async sweep(database: FaultyDatabase, real: () => Promise<number>): Promise<void> {
    const ideal = () => (this.#model.overdue(this.#world.wallMs) ? this.#model.sweep(this.#atMs()) : 0);
    await this.#compare(database, 'sweep', real, (ended) => ended, ideal);
  }

  async budget(database: FaultyDatabase, real: () => Promise<Budget>): Promise<void> {
    const ideal = () => {
      if (this.#world.wallMs >= monthEnd(this.#model.period, this.#timeZone)) this.#model.begin(this.#atMs());
      return {
        available: this.#model.granted - this.#model.posted - this.#model.held,
        resetsAtMs: monthEnd(this.#model.period, this.#timeZone),
      };
    };
    const facts = (budget: Budget) => ({
      available: Number(budget.availableNanoEur),
      resetsAtMs: budget.resetsAt.getTime(),
    });
    await this.#compare(database, 'budget', real, facts, ideal);
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
    const answer = await database.unlessLost(real);
    const committed = database.ran.slice(startedAt).some((statement) => COMMITS.includes(statement));
    const nothingToDo = answer !== undefined && !committed;
    const expected = committed || nothingToDo ? JSON.stringify(ideal()) : 'nothing, for the transaction was lost';
    const given = answer === undefined ? 'no answer' : JSON.stringify(factsOf(answer));
    this.#world.log(`${name} -> ${given}${answer === undefined ? `; stored: ${expected}` : ''}`);
    if (answer !== undefined && given !== expected) throw new Violation(`${name} gave ${given}, not ${expected}`);
    await this.#observer.check(this.#model);
    return answer;
  }
}

function authoriseFacts(outcome: AuthoriseOutcome): unknown {
  if (outcome.outcome === 'granted') return { outcome: 'granted', expiresAtMs: outcome.expiresAt.getTime() };
  if (outcome.outcome !== 'refused') return outcome;
  const { reason, grantedNanoEur, postedNanoEur, heldNanoEur } = outcome;
  return {
    outcome: 'refused',
    reason,
    granted: Number(grantedNanoEur),
    posted: Number(postedNanoEur),
    held: Number(heldNanoEur),
  };
}

function settleFacts(outcome: SettleOutcome): unknown {
  if (outcome.outcome !== 'posted' && outcome.outcome !== 'replayed') return { outcome: outcome.outcome };
  const { totalNanoEur, postedNanoEur, overrunNanoEur, late } = outcome;
  return {
    outcome: outcome.outcome,
    used: Number(totalNanoEur),
    posted: Number(postedNanoEur),
    overrun: Number(overrunNanoEur),
    late,
  };
}

function grantFacts(outcome: GrantOutcome): unknown {
  if (outcome.outcome === 'conflict') return { outcome: 'conflict' };
  if (outcome.outcome === 'insufficient') {
    return { outcome: 'insufficient', takeable: Number(outcome.takeableNanoEur) };
  }
  return { outcome: outcome.outcome, amount: Number(outcome.grant.amountNanoEur) };
}
