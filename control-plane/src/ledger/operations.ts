import type { Clamp } from '../pricing/clamp.ts';
import type { Charge, Usage } from '../pricing/cost.ts';
import type { HoldTerms } from './terms.ts';

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
  /** How to answer with less, should all of it not fit. */
  readonly clamp?: Clamp | undefined;
  readonly terms: HoldTerms;
  readonly holdTtlMs: number;
  readonly traceId: string | undefined;
};

/** Whose budget a refusal is about. */
export type Scope = 'tenant' | 'user' | 'key';

export type AuthoriseOutcome =
  | {
      outcome: 'granted';
      holdNanoEur: bigint;
      maxOutputTokens: number;
      expiresAt: Date;
      /** Neither the user nor the key has a limit of its own; false where that is not known. */
      unlimited: boolean;
    }
  | {
      outcome: 'refused';
      reason: 'spent' | 'busy';
      scope: Scope;
      askedNanoEur: bigint;
      /** The figures of the account that refused. */
      grantedNanoEur: bigint;
      postedNanoEur: bigint;
      heldNanoEur: bigint;
      resetsAt: Date;
      nextExpiryAt: Date | null;
    }
  /** Priced from an outdated catalogue or tenant: read both anew and ask again. */
  | { outcome: 'stale' }
  | { outcome: 'key_unknown' }
  /** A user the tenant does not have yet, and every seat is taken. */
  | { outcome: 'seats_taken' }
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

/** One operation as ledger_apply reads it: the fields of its type ledger_operation. */
export type Operation = {
  readonly kind: 'authorise' | 'settle' | 'void';
  readonly account: bigint;
  readonly request: string;
  readonly [field: string]: unknown;
};

/** What ledger_apply answered: the fields of its type ledger_result that an outcome is made of. */
export type Result = {
  readonly outcome: string;
  readonly reason: string | null;
  readonly replayed: boolean | null;
  readonly amount: bigint;
  readonly max_output_tokens: bigint;
  readonly expires_at: Date;
  readonly unlimited: boolean | null;
  readonly resets_at: Date;
  readonly scope: Scope;
  readonly granted: bigint;
  readonly posted: bigint;
  readonly held: bigint;
  readonly next_expiry: Date | null;
  readonly late: boolean;
  readonly hold: bigint;
  readonly cost: bigint;
  readonly margin: bigint;
  readonly total: bigint;
  readonly overrun: bigint;
};

/** The fields of Result, in SQL. */
export const RESULT_FIELDS = [
  'outcome',
  'reason',
  'replayed',
  'amount',
  'max_output_tokens',
  'expires_at',
  'unlimited',
  'resets_at',
  'scope',
  'granted',
  'posted',
  'held',
  'next_expiry',
  'late',
  'hold',
  'cost',
  'margin',
  'total',
  'overrun',
] as const satisfies readonly (keyof Result)[];

export function authoriseOperation(input: AuthoriseInput): Operation {
  const { clamp } = input;
  return {
    kind: 'authorise',
    account: input.account,
    request: input.requestId,
    trace: input.traceId,
    tenant: input.tenant,
    tenant_revision: input.tenantRevision,
    catalogue_revision: input.catalogueRevision,
    payload: bytes(input.payload),
    key: bytes(input.keySha256),
    user: input.user,
    amount: input.amountNanoEur,
    max_output_tokens: input.maxOutputTokens,
    terms: input.terms,
    hold_ms: input.holdTtlMs,
    min_amount: clamp?.minAmountNanoEur,
    min_output_tokens: clamp?.minOutputTokens,
    step_amount: clamp?.stepNanoEur,
    step_output_tokens: clamp?.stepOutputTokens,
  };
}

export function authoriseOutcome(result: Result): AuthoriseOutcome {
  switch (result.outcome) {
    case 'granted':
      return {
        outcome: 'granted',
        holdNanoEur: result.amount,
        maxOutputTokens: Number(result.max_output_tokens),
        expiresAt: result.expires_at,
        unlimited: result.unlimited === true,
      };
    case 'refused':
      return {
        outcome: 'refused',
        reason: result.reason as 'spent' | 'busy',
        scope: result.scope,
        askedNanoEur: result.amount,
        grantedNanoEur: result.granted,
        postedNanoEur: result.posted,
        heldNanoEur: result.held,
        resetsAt: result.resets_at,
        nextExpiryAt: result.next_expiry,
      };
    default:
      return { outcome: result.outcome } as AuthoriseOutcome;
  }
}

export function settleOperation(input: SettleInput): Operation {
  const { usage, charge } = input;
  return {
    kind: 'settle',
    account: input.account,
    request: input.requestId,
    trace: input.traceId,
    settlement: bytes(input.settlement),
    model_served: input.modelServed,
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    audio_input_tokens: usage.audioInputTokens,
    output_tokens: usage.outputTokens,
    audio_output_tokens: usage.audioOutputTokens,
    images: usage.images,
    provider_total_tokens: usage.totalTokens,
    cost: charge.costNanoEur,
    margin: charge.marginNanoEur,
    prices: input.prices,
    cache_hit: input.cacheHit,
    finish: input.finish,
    started_at: input.startedAt,
    first_token_at: input.firstTokenAt,
    ended_at: input.endedAt,
  };
}

export function settleOutcome(result: Result): SettleOutcome {
  if (result.outcome !== 'posted' && result.outcome !== 'replayed') return { outcome: result.outcome } as SettleOutcome;
  return {
    outcome: result.outcome,
    late: result.late,
    holdNanoEur: result.hold,
    costNanoEur: result.cost,
    marginNanoEur: result.margin,
    totalNanoEur: result.total,
    postedNanoEur: result.amount,
    overrunNanoEur: result.overrun,
  };
}

export function voidOperation(account: bigint, requestId: string, reason: string): Operation {
  return { kind: 'void', account, request: requestId, reason };
}

/** A bytea as Postgres reads it from text. */
function bytes(buffer: Buffer): string {
  return `\\x${buffer.toString('hex')}`;
}
