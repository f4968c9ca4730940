import type pg from 'pg';
import type { AuthoriseInput, SettleInput, SettleOutcome } from './operations.ts';
import { RESULT_FIELDS, type Result, settleOperation, settleOutcome } from './operations.ts';
import { type HoldTerms, termsJson } from './terms.ts';

/** A lease is at most this part of what is free when it is taken, so that leases of many gateways leave enough. */
export const LEASE_SHARE = 10;
/** It is at least this part of what was wished, or none: a slice of little is worth nothing. */
export const LEAST_LEASE_PART = 4;

export type LeaseInput = {
  readonly account: bigint;
  readonly tenant: bigint;
  readonly tenantRevision: bigint;
  readonly catalogueRevision: bigint;
  readonly leaseId: string;
  /** What calls made within it will be priced by; kept as it is. */
  readonly basis: unknown;
  readonly wishedNanoEur: bigint;
  /** How long its hold lives: the time it may be used, and the time that a call needs to end and be told. */
  readonly holdTtlMs: number;
};

/** `leftNanoEur`: what may be authorised from it. See db/migrations/0010-leases.sql for the others. */
export type LeaseOutcome =
  | { outcome: 'granted'; leftNanoEur: bigint }
  | { outcome: 'denied' | 'ended' }
  /** Priced from an outdated catalogue or tenant: read both anew and ask again. */
  | { outcome: 'stale' };

/** A call that a gateway authorised by itself: what its settlement needs, because no authorise came before it. */
export type LeasedCall = Pick<AuthoriseInput, 'tenant' | 'keySha256' | 'user' | 'holdTtlMs'> & {
  readonly leaseId: string;
  readonly boundNanoEur: bigint;
  readonly maxOutputTokens: number;
  readonly terms: HoldTerms;
};

/** Leases and what is drawn from them; the rules are in db/migrations/0010-leases.sql. */
export class Leases {
  readonly #pool: pg.Pool;
  readonly #now: (() => Date) | undefined;

  constructor(pool: pg.Pool, now?: () => Date) {
    this.#pool = pool;
    this.#now = now;
  }

  /** Takes a lease, or makes one last longer. A void of it gives it back. */
  async take(input: LeaseInput): Promise<LeaseOutcome> {
    const { rows } = await this.#pool.query<{ outcome: LeaseOutcome['outcome']; amount: bigint }>({
      name: 'ledger_lease',
      text: 'select outcome, amount from ledger_lease($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
      values: [
        input.account,
        input.leaseId,
        input.tenant,
        input.tenantRevision,
        input.catalogueRevision,
        termsJson(input.basis),
        input.wishedNanoEur,
        input.wishedNanoEur / BigInt(LEAST_LEASE_PART),
        LEASE_SHARE,
        input.holdTtlMs,
        this.#now?.() ?? null,
      ],
    });
    const row = only(rows);
    return row.outcome === 'granted' ? { outcome: 'granted', leftNanoEur: row.amount } : { outcome: row.outcome };
  }

  /** What calls within the lease are priced by; undefined where there never was such a lease. */
  async basisOf(account: bigint, leaseId: string): Promise<unknown> {
    const { rows } = await this.#pool.query<{ basis: unknown }>({
      name: 'lease_basis',
      text: 'select basis from lease where account_id = $1 and lease_id = $2',
      values: [account, leaseId],
    });
    return rows[0]?.basis;
  }

  /** Bills a call that was made within a lease, out of it: once, however often it is told. */
  async settle(input: SettleInput, call: LeasedCall): Promise<SettleOutcome> {
    const { charge } = input;
    // What an answer costs beyond its bound is not drawn: it is an overrun, as of any other call.
    const above = charge.totalNanoEur > call.boundNanoEur;
    const drawn = above ? call.boundNanoEur : charge.totalNanoEur;
    const { rows } = await this.#pool.query<Result>({
      name: 'ledger_settle_leased',
      text: `select ${RESULT_FIELDS.map((field) => `(r).${field}`).join(', ')}
        from ledger_settle_leased($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      values: [
        termsJson({ i: 0, ...settleOperation(input) }),
        input.account,
        call.leaseId,
        input.requestId,
        input.settlement,
        drawn,
        call.maxOutputTokens,
        call.tenant,
        call.keySha256,
        call.user === undefined ? null : JSON.stringify(call.user),
        termsJson(call.terms),
        input.traceId ?? null,
        call.holdTtlMs,
        this.#now?.() ?? null,
      ],
    });
    return settleOutcome(only(rows));
  }
}

function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('a function of the ledger returned nothing');
  return row;
}
