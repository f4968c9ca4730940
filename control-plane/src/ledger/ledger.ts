import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { Lane } from './lane.ts';
import {
  type AuthoriseInput,
  type AuthoriseOutcome,
  authoriseOperation,
  authoriseOutcome,
  type Operation,
  type Result,
  type SettleInput,
  type SettleOutcome,
  settleOperation,
  settleOutcome,
  voidOperation,
} from './operations.ts';
import { type HoldTerms, readTerms } from './terms.ts';

/** Requests whose terms are remembered, so that their settlement need not read them first. */
const MAX_REMEMBERED_TERMS = 20_000;

/**
 * Statements under way at once, and so batches: one per core, for more of them are smaller and share less. One may wait
 * for the disk while another one computes.
 */
const LANES = Math.min(8, Math.max(2, availableParallelism()));

export type { AuthoriseInput, AuthoriseOutcome, Scope, SettleInput, SettleOutcome } from './operations.ts';

export type GrantOutcome =
  | { outcome: 'created' | 'replayed'; grant: Grant }
  | { outcome: 'conflict' }
  /** Its expiry is not in the future: it would bring nothing. */
  | { outcome: 'expired' }
  | { outcome: 'insufficient'; takeableNanoEur: bigint };

export type Grant = {
  readonly id: string;
  readonly source: string;
  readonly amountNanoEur: bigint;
  /** Lower is spent first. */
  readonly priority: number;
  /** When what is left of it lapses; null: never. */
  readonly expiresAt: Date | null;
  readonly note: string | null;
  readonly period: string;
  /** Of its line in the ledger. */
  readonly sequence: bigint;
  readonly createdAt: Date;
};

/** What is not said goes by the grant's source, and lasts for ever. */
export type GrantOptions = { readonly priority?: number | undefined; readonly expiresAt?: Date | undefined };

export type Reversal = {
  readonly id: string;
  /** The sequence of the line that was taken back. */
  readonly reverses: bigint;
  readonly amountNanoEur: bigint;
  readonly note: string | null;
  readonly period: string;
  readonly sequence: bigint;
  readonly createdAt: Date;
};

export type ReversalOutcome =
  | { outcome: 'created' | 'replayed'; reversal: Reversal }
  /** `not_reversible`: neither a posting nor a grant from outside the plan. */
  | { outcome: 'conflict' | 'unknown' | 'not_reversible' }
  | { outcome: 'exceeds'; takeableNanoEur: bigint };

/** A budget as seen in its present period. available = granted - posted - held - leased. */
export type Budget = {
  readonly period: string;
  readonly grantedNanoEur: bigint;
  readonly postedNanoEur: bigint;
  readonly heldNanoEur: bigint;
  /** Held by gateways in advance. */
  readonly leasedNanoEur: bigint;
  readonly availableNanoEur: bigint;
  readonly overrunNanoEur: bigint;
  readonly resetsAt: Date;
};

/** What a user or a key may spend and has spent in the present period. */
export type SubBudget = {
  readonly period: string;
  /** Null: no limit but the tenant's. */
  readonly budgetNanoEur: bigint | null;
  readonly postedNanoEur: bigint;
  readonly heldNanoEur: bigint;
  readonly resetsAt: Date;
};

/**
 * The driver of the ledger's SQL functions; the rules are in db/migrations. Requests go through lanes, where many share
 * a statement; every other method is one statement, one transaction, one round trip. `now` replaces the database's
 * clock in tests.
 */
export class Ledger {
  readonly #pool: pg.Pool;
  readonly #now: (() => Date) | undefined;
  readonly #lanes: readonly Lane[];
  readonly #terms = new Map<string, HoldTerms>();

  constructor(pool: pg.Pool, now?: () => Date) {
    this.#pool = pool;
    this.#now = now;
    this.#lanes = Array.from({ length: LANES }, () => new Lane(pool, now));
  }

  async authorise(input: AuthoriseInput): Promise<AuthoriseOutcome> {
    const result = await this.#submit(authoriseOperation(input));
    // A replayed grant stands on the terms it was made with, which may be others than today's.
    if (result.outcome === 'granted' && result.replayed !== true) {
      this.#remember(input.account, input.requestId, input.terms);
    }
    return authoriseOutcome(result);
  }

  /** The terms a request was authorised on; undefined when it never was. */
  async termsOf(account: bigint, requestId: string): Promise<HoldTerms | undefined> {
    const remembered = this.#terms.get(`${account}/${requestId}`);
    if (remembered !== undefined) return remembered;
    const { rows } = await this.#pool.query<{ terms: unknown }>({
      name: 'hold_terms',
      text: 'select terms from hold where account_id = $1 and request_id = $2 and terms is not null',
      values: [account, requestId],
    });
    return rows[0] === undefined ? undefined : readTerms(rows[0].terms);
  }

  async settle(input: SettleInput): Promise<SettleOutcome> {
    const outcome = settleOutcome(await this.#submit(settleOperation(input)));
    this.#terms.delete(`${input.account}/${input.requestId}`);
    return outcome;
  }

  /** @returns the state the request is in afterwards */
  async void(account: bigint, requestId: string, reason: string): Promise<string> {
    return (await this.#submit(voidOperation(account, requestId, reason))).outcome;
  }

  /** `amountNanoEur` null is a reset: as much as the period has cost so far. */
  async addGrant(
    account: bigint,
    idempotencyKey: string,
    payload: Buffer,
    source: string,
    amountNanoEur: bigint | null,
    note: string | null,
    options: GrantOptions = {},
  ): Promise<GrantOutcome> {
    const row = await this.#call('ledger_add_grant', [
      account,
      idempotencyKey,
      payload,
      source,
      amountNanoEur,
      note,
      options.priority ?? null,
      options.expiresAt ?? null,
    ]);
    if (row.outcome === 'conflict' || row.outcome === 'expired') return { outcome: row.outcome };
    if (row.outcome === 'insufficient') return { outcome: 'insufficient', takeableNanoEur: row.amount as bigint };
    return {
      outcome: row.outcome as 'created' | 'replayed',
      grant: {
        id: row.id as string,
        source: row.source as string,
        amountNanoEur: row.amount as bigint,
        priority: row.priority as number,
        expiresAt: row.expires_at as Date | null,
        note: row.note as string | null,
        period: row.period as string,
        sequence: row.sequence as bigint,
        createdAt: row.created_at as Date,
      },
    };
  }

  /** Takes back a posting or a grant, or part of it (`amountNanoEur` null: what is left of it), by a new line. */
  async reverse(
    account: bigint,
    idempotencyKey: string,
    payload: Buffer,
    sequence: bigint,
    amountNanoEur: bigint | null,
    note: string | null,
  ): Promise<ReversalOutcome> {
    const row = await this.#call('ledger_reverse', [account, idempotencyKey, payload, sequence, amountNanoEur, note]);
    if (row.outcome === 'exceeds') return { outcome: 'exceeds', takeableNanoEur: row.amount as bigint };
    if (row.outcome !== 'created' && row.outcome !== 'replayed') return { outcome: row.outcome } as ReversalOutcome;
    return {
      outcome: row.outcome,
      reversal: {
        id: row.id as string,
        reverses: row.reverses as bigint,
        amountNanoEur: row.amount as bigint,
        note: row.note as string | null,
        period: row.period as string,
        sequence: row.sequence as bigint,
        createdAt: row.created_at as Date,
      },
    };
  }

  async budget(account: bigint): Promise<Budget> {
    const { rows } = await this.#pool.query<Record<string, unknown>>({
      name: 'ledger_budget',
      text: `select b.*, (select coalesce(sum(amount), 0)::bigint from hold h
          where h.account_id = b.account_id and h.state = 'held' and h.lease_id = h.request_id) as leased
        from ledger_budget($1, $2) b`,
      values: [account, this.#now?.() ?? null],
    });
    const row = rows[0] as Record<string, unknown>;
    const [granted, posted, held] = [row.granted as bigint, row.posted as bigint, row.held as bigint];
    const before = row.posted_before as bigint;
    const leased = row.leased as bigint;
    return {
      period: row.period as string,
      grantedNanoEur: granted - before,
      postedNanoEur: posted - before,
      heldNanoEur: held - leased,
      leasedNanoEur: leased,
      availableNanoEur: granted - posted - held,
      overrunNanoEur: (row.overrun as bigint) - (row.overrun_before as bigint),
      resetsAt: row.period_ends_at as Date,
    };
  }

  /** The present period of a user or a key: what the tenant gives them, or their own limit. */
  async subBudget(account: bigint, kind: 'user' | 'key', subjectId: string): Promise<SubBudget> {
    const { period, resetsAt } = await this.budget(account);
    const { rows } = await this.#pool.query<{ budget: bigint | null; posted: bigint; held: bigint }>({
      name: 'sub_budget',
      text: `select limit_of($1, $2) as budget, coalesce(s.posted, 0) as posted, coalesce(s.held, 0) as held
             from (values (1)) one left join sub_balance s on s.subject_id = $2 and s.period = $3`,
      values: [kind, subjectId, period],
    });
    const row = rows[0] ?? { budget: null, posted: 0n, held: 0n };
    return { period, budgetNanoEur: row.budget, postedNanoEur: row.posted, heldNanoEur: row.held, resetsAt };
  }

  /** Makes changed limits of users and keys count at once. */
  async refreshLimits(account: bigint): Promise<void> {
    await this.#call('ledger_refresh_limits', [account]);
  }

  /** Opens the account of a new tenant, and brings the period's plan grant to what the plan now gives. */
  async setPlan(client: pg.PoolClient, tenant: bigint, monthlyBudgetNanoEur: bigint): Promise<bigint> {
    const { rows } = await client.query<{ account: bigint }>('select ledger_set_plan($1, $2, $3) as account', [
      tenant,
      monthlyBudgetNanoEur,
      this.#now?.() ?? null,
    ]);
    const account = rows[0]?.account;
    if (account === undefined) throw new Error('ledger_set_plan returned no account');
    return account;
  }

  /** Ends overdue holds of up to `limit` accounts, and does what else has fallen due. @returns how many were ended */
  async sweep(limit: number): Promise<number> {
    const { rows } = await this.#pool.query<{ account_id: bigint }>({
      name: 'due_accounts',
      text: `select account_id from balance b where due_at <= coalesce($1, clock_timestamp()) or exists (
        select 1 from hold h where h.account_id = b.account_id and state = 'held'
          and expires_at <= coalesce($1, clock_timestamp())) limit $2`,
      values: [this.#now?.() ?? null, limit],
    });
    let ended = 0n;
    for (const { account_id } of rows) {
      const row = await this.#call('ledger_expire_overdue', [account_id, []]);
      ended += row.ledger_expire_overdue as bigint;
    }
    return Number(ended);
  }

  #submit(operation: Operation): Promise<Result> {
    const lane = this.#lanes[Number(operation.account % BigInt(LANES))];
    if (lane === undefined) throw new Error('an account without a lane');
    return lane.submit(operation);
  }

  async #call(name: string, values: unknown[]): Promise<Record<string, unknown>> {
    const all = [...values, this.#now?.() ?? null];
    const places = all.map((_, index) => `$${index + 1}`).join(', ');
    const { rows } = await this.#pool.query({ name, text: `select * from ${name}(${places})`, values: all });
    return rows[0] as Record<string, unknown>;
  }

  #remember(account: bigint, requestId: string, terms: HoldTerms): void {
    if (this.#terms.size >= MAX_REMEMBERED_TERMS) {
      const oldest = this.#terms.keys().next().value;
      if (oldest !== undefined) this.#terms.delete(oldest);
    }
    this.#terms.set(`${account}/${requestId}`, terms);
  }
}
