import type { Asked, GrantTerms } from './model.ts';

/**
 * A scenario is everything that will happen in one run, decided beforehand: plain data, so that a failing one can be
 * made smaller by leaving things out. Running it involves no chance at all. Times are milliseconds from its start.
 */
export type Scenario = {
  readonly seed: number;
  readonly timeZone: string;
  /** The wall clock at the start. */
  readonly startsAt: string;
  readonly holdTtlMs: number;
  readonly monthlyBudget: number;
  /** What each user and each key may cost a month, where they have no limit of their own. */
  readonly memberBudget: number | null;
  readonly keyBudget: number | null;
  /** What each gateway may hold in advance, and what befalls the calls about it in their order. Null: off. */
  readonly lease: {
    readonly amount: number;
    readonly seconds: number;
    readonly messages: readonly MessageFault[];
  } | null;
  /** Seats; three are taken from the start. */
  readonly maxMembers: number | null;
  readonly gateways: number;
  readonly replicas: number;
  readonly steps: readonly Step[];
};

/** What happens to a control plane's statement: before it reached the database, or after its commit. */
export type DatabaseFault = {
  readonly kind: 'transaction_lost' | 'reply_lost';
  /** Counted from 0 over the statements of one operation. */
  readonly statement: number;
};

/** What happens to one HTTP call between gateway and control plane. */
export type MessageFault = {
  readonly kind: 'none' | 'request_lost' | 'reply_lost' | 'reset_before' | 'reset_after' | 'duplicate';
  /** Until it arrives. Longer than the gateway waits: it gives up, and the call arrives nevertheless. */
  readonly delayMs: number;
  /** A duplicate arrives this much later than the call itself. */
  readonly duplicateAfterMs: number;
  readonly replica: number;
  readonly database?: DatabaseFault;
};

/** A chat's way: who asks, how much it may cost at most and really does, how it ends, and what befalls its messages. */
export type RequestStep = {
  readonly kind: 'request';
  readonly atMs: number;
  readonly id: string;
  readonly gateway: number;
  readonly asked: Asked;
  readonly used: number;
  readonly streamMs: number;
  readonly ending: 'complete' | 'upstream_failure' | 'client_gone' | 'unreported';
  /** For the calls about this request in their order, whichever gateway makes them; later ones go well. */
  readonly messages: readonly MessageFault[];
  /** For the outbox writes about this request in their order; later ones go well. */
  readonly redis: readonly ('none' | 'lost' | 'reply_lost')[];
};

/** Something that reaches the control plane from elsewhere: an owner, the operator, a timer, a stray copy. */
export type OperationStep = {
  readonly atMs: number;
  readonly replica: number;
  readonly database?: DatabaseFault;
} & (
  | ({ readonly kind: 'grant' } & GrantTerms)
  | {
      readonly kind: 'reverse';
      readonly key: string;
      readonly of: { readonly grant: string } | { readonly request: string };
      readonly amount: number | null;
    }
  | { readonly kind: 'register'; readonly monthlyBudget: number; readonly timeZone: string }
  /** A limit of a user's or the key's own; null takes it away. */
  | { readonly kind: 'limit'; readonly subject: string; readonly limit: number | null }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'budget' }
  /** A call that comes alone, or several that come in the same instant, of which no gateway knows. */
  | { readonly kind: 'stray'; readonly calls: readonly StrayCall[] }
);
export type StrayCall =
  | { readonly kind: 'authorise'; readonly request: string; readonly asked: Asked }
  | { readonly kind: 'settle'; readonly request: string; readonly used: number }
  | { readonly kind: 'void'; readonly request: string };

/** Something that goes wrong with the machines. */
export type DisasterStep = { readonly atMs: number } & (
  | { readonly kind: 'gateway_killed'; readonly gateway: number; readonly downMs: number }
  | { readonly kind: 'gateway_cut_off'; readonly gateway: number; readonly forMs: number }
  | { readonly kind: 'redis_away'; readonly forMs: number }
  | { readonly kind: 'redis_flushed' }
  | { readonly kind: 'control_plane_away'; readonly forMs: number }
  | { readonly kind: 'replica_restarted'; readonly replica: number }
  | { readonly kind: 'clock_jump'; readonly byMs: number }
);

export type Step = RequestStep | OperationStep | DisasterStep;
