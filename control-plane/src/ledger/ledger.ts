import type pg from 'pg';
import type { Charge, Usage } from '../pricing/cost.ts';
import { type HoldTerms, readTerms, termsJson } from './terms.ts';

/** Requests whose terms are remembered, so that their settlement need not read them first. */
const MAX_REMEMBERED_TERMS = 20_000;

export type AuthoriseInput = {
  readonly account: bigint;
  readonly tenant: bigint;
  readonly tenantRevision: bigint;
  readonly catalogueRevision: bigint;
  readonly requestId: string;
  readonly payload: Buffer;
  readonly keySha256: Buffer;
  readonly user:
    | { externalId: string; email?: string | undefined; name?: string | undefined; role?: string | undefined }
    | undefined;
  readonly amountNanoEur: bigint;
  readonly maxOutputTokens: number;
  readonly terms: HoldTerms;
  readonly holdTtlMs: number;
  readonly traceId: string | undefined;
};

export type AuthoriseOutcome =
  | { outcome: 'granted'; holdNanoEur: bigint; maxOutputTokens: number; expiresAt: Date }
  | {
      outcome: 'refused';
      reason: 'spent' | 'busy';
      askedNanoEur: bigint;
      grantedNanoEur: bigint;
      postedNanoEur: bigint;
      heldNanoEur: bigint;
      resetsAt: Date;
      nextExpiryAt: Date | null;
    }
  /** Priced from an outdated catalogue or tenant: read both anew and ask again. */
  | { outcome: 'stale' }
  | { outcome: 'key_unknown' }
  /** The request id was used with another payload. */
  | { outcome: 'conflict' }
  | { outcome: 'already_voided' | 'already_posted' | 'already_expired' };

export type SettleInput = {
  readonly account: bigint;
  readonly requestId: string;
  readonly settlement: Buffer;
  readonly modelServed: string;
  readonly usage: Usage;
  readonly charge: Charge;
  readonly prices: unknown;
  readonly cacheHit: boolean;
  readonly finish: 'complete' | 'interrupted';
  readonly startedAt: string;
  readonly firstTokenAt: string | null;
  readonly endedAt: string;
  readonly traceId: string | undefined;
};

export type SettleOutcome =
  | {
      outcome: 'posted' | 'replayed';
      late: boolean;
      holdNanoEur: bigint;
      costNanoEur: bigint;
      marginNanoEur: bigint;
      totalNanoEur: bigint;
      postedNanoEur: bigint;
      overrunNanoEur: bigint;
    }
  | { outcome: 'conflict' | 'unknown' | 'not_authorised' };

export type GrantOutcome =
  | { outcome: 'created' | 'replayed'; grant: Grant }
  | { outcome: 'conflict' }
  | { outcome: 'insufficient'; takeableNanoEur: bigint };

export type Grant = {
  readonly id: string;
  readonly source: string;
  readonly amountNanoEur: bigint;
  readonly note: string | null;
  readonly period: string;
  readonly createdAt: Date;
};

/** A budget as seen in its present period. available = granted - posted - held. */
export type Budget = {
  readonly period: string;
  readonly grantedNanoEur: bigint;
  readonly postedNanoEur: bigint;
  readonly heldNanoEur: bigint;
  readonly availableNanoEur: bigint;
  readonly overrunNanoEur: bigint;
  readonly resetsAt: Date;
};

/**
 * The driver of the ledger's SQL functions. Each method is one statement, one transaction, one round trip; the rules
 * are in db/migrations. `now` replaces the database's clock in tests.
 */
export class Ledger {
  readonly #pool: pg.Pool;
  readonly #now: (() => Date) | undefined;
  readonly #terms = new Map<string, HoldTerms>();

  constructor(pool: pg.Pool, now?: () => Date) {
    this.#pool = pool;
    this.#now = now;
  }

  async authorise(input: AuthoriseInput): Promise<AuthoriseOutcome> {
    const row = await this.#call('ledger_authorise', [
      input.account,
      input.tenant,
      input.tenantRevision,
      input.catalogueRevision,
      input.requestId,
      input.payload,
      input.keySha256,
      input.user === undefined ? null : JSON.stringify(input.user),
      input.amountNanoEur,
      input.maxOutputTokens,
      termsJson(input.terms),
      input.holdTtlMs,
      input.traceId ?? null,
    ]);
    switch (row.outcome) {
      case 'granted':
        this.#remember(input.account, input.requestId, input.terms, row.replayed === true);
        return {
          outcome: 'granted',
          holdNanoEur: row.amount as bigint,
          maxOutputTokens: Number(row.max_output_tokens),
          expiresAt: row.expires_at as Date,
        };
      case 'refused':
        return {
          outcome: 'refused',
          reason: row.reason as 'spent' | 'busy',
          askedNanoEur: row.amount as bigint,
          grantedNanoEur: row.granted as bigint,
          postedNanoEur: row.posted as bigint,
          heldNanoEur: row.held as bigint,
          resetsAt: row.resets_at as Date,
          nextExpiryAt: row.next_expiry as Date | null,
        };
      default:
        return { outcome: row.outcome } as AuthoriseOutcome;
    }
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
    const { usage, charge } = input;
    const row = await this.#call('ledger_settle', [
      input.account,
      input.requestId,
      input.settlement,
      input.modelServed,
      usage.inputTokens,
      usage.cachedInputTokens,
      usage.cacheWriteTokens,
      usage.outputTokens,
      usage.images,
      charge.costNanoEur,
      charge.marginNanoEur,
      termsJson(input.prices),
      input.cacheHit,
      input.finish,
      input.startedAt,
      input.firstTokenAt,
      input.endedAt,
      input.traceId ?? null,
    ]);
    if (row.outcome !== 'posted' && row.outcome !== 'replayed') return { outcome: row.outcome } as SettleOutcome;
    this.#terms.delete(`${input.account}/${input.requestId}`);
    return {
      outcome: row.outcome,
      late: row.late as boolean,
      holdNanoEur: row.hold as bigint,
      costNanoEur: row.cost as bigint,
      marginNanoEur: row.margin as bigint,
      totalNanoEur: row.total as bigint,
      postedNanoEur: row.posted as bigint,
      overrunNanoEur: row.overrun as bigint,
    };
  }

  /** @returns the state the request is in afterwards */
  async void(account: bigint, requestId: string, reason: string): Promise<string> {
    const row = await this.#call('ledger_void', [account, requestId, reason]);
    return row.ledger_void as string;
  }

  /** `amountNanoEur` null is a reset: as much as the period has cost so far. */
  async addGrant(
    account: bigint,
    idempotencyKey: string,
    payload: Buffer,
    source: string,
    amountNanoEur: bigint | null,
    note: string | null,
  ): Promise<GrantOutcome> {
    const row = await this.#call('ledger_add_grant', [account, idempotencyKey, payload, source, amountNanoEur, note]);
    if (row.outcome === 'conflict') return { outcome: 'conflict' };
    if (row.outcome === 'insufficient') return { outcome: 'insufficient', takeableNanoEur: row.amount as bigint };
    return {
      outcome: row.outcome as 'created' | 'replayed',
      grant: {
        id: row.id as string,
        source: row.source as string,
        amountNanoEur: row.amount as bigint,
        note: row.note as string | null,
        period: row.period as string,
        createdAt: row.created_at as Date,
      },
    };
  }

  async budget(account: bigint): Promise<Budget> {
    const row = await this.#call('ledger_budget', [account]);
    const [granted, posted, held] = [row.granted as bigint, row.posted as bigint, row.held as bigint];
    const before = row.posted_before as bigint;
    return {
      period: row.period as string,
      grantedNanoEur: granted - before,
      postedNanoEur: posted - before,
      heldNanoEur: held,
      availableNanoEur: granted - posted - held,
      overrunNanoEur: (row.overrun as bigint) - (row.overrun_before as bigint),
      resetsAt: row.period_ends_at as Date,
    };
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

  /** Ends overdue holds of up to `limit` accounts. @returns how many were ended */
  async sweep(limit: number): Promise<number> {
    const { rows } = await this.#pool.query<{ account_id: bigint }>({
      name: 'overdue_accounts',
      text: `select distinct account_id from (
        select account_id from hold where state = 'held' and expires_at <= coalesce($1, clock_timestamp())
        order by expires_at limit $2) overdue`,
      values: [this.#now?.() ?? null, limit],
    });
    let ended = 0n;
    for (const { account_id } of rows) {
      const row = await this.#call('ledger_sweep', [account_id]);
      ended += row.ledger_sweep as bigint;
    }
    return Number(ended);
  }

  async #call(name: string, values: unknown[]): Promise<Record<string, unknown>> {
    const all = [...values, this.#now?.() ?? null];
    const places = all.map((_, index) => `$${index + 1}`).join(', ');
    const { rows } = await this.#pool.query({ name, text: `select * from ${name}(${places})`, values: all });
    return rows[0] as Record<string, unknown>;
  }

  #remember(account: bigint, requestId: string, terms: HoldTerms, replayed: boolean): void {
    // A replayed grant stands on the terms it was made with, which may be others than today's.
    if (replayed) return;
    if (this.#terms.size >= MAX_REMEMBERED_TERMS) {
      const oldest = this.#terms.keys().next().value;
      if (oldest !== undefined) this.#terms.delete(oldest);
    }
    this.#terms.set(`${account}/${requestId}`, terms);
  }
}
