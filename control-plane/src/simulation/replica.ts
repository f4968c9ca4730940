import type pg from 'pg';
import { Catalogue } from '../catalogue/catalogue.ts';
import type { TenantRecord } from '../catalogue/tenant-record.ts';
import { Leases } from '../ledger/leases.ts';
import { type AuthoriseOutcome, Ledger, type SettleInput, type SettleOutcome } from '../ledger/ledger.ts';
import { payloadHash } from '../ledger/payload-hash.ts';
import { registerTenant } from '../registry/register-tenant.ts';
import { FaultyDatabase } from './database.ts';
import type { Judge, Operation } from './judge.ts';
import type { Asked, LedgerModel } from './model.ts';
import type { Observer } from './observer.ts';
import type { DatabaseFault, OperationStep, StrayCall } from './scenario.ts';
import { chargeOf, type SimulatedTenant, storeLimit, TERMS, USAGE } from './tenant.ts';

/** What a gateway asks of the control plane. */
export type GatewayOperation =
  | { readonly kind: 'authorise'; readonly request: string; readonly asked: Asked }
  | {
      readonly kind: 'settle';
      readonly request: string;
      readonly used: number;
      /** The call was made within this lease. */
      readonly lease: { readonly id: string; readonly asked: Asked } | undefined;
    }
  | { readonly kind: 'lease'; readonly request: string }
  | { readonly kind: 'void'; readonly request: string; readonly reason: string };

/** What the hook sees of an answer. */
export type Answer = {
  readonly status: number;
  readonly code: string;
  readonly leasable?: boolean;
  readonly lease?: { readonly left: number; readonly seconds: number };
};

/** As in routes/gateway/authorise.ts. */
const MAX_STALE_RETRIES = 5;
/** Accounts of one sweep; a run has one. */
const SWEEP_LIMIT = 100;

export type ReplicaDeps = {
  readonly pool: pg.Pool;
  readonly tenant: SimulatedTenant;
  readonly now: () => Date;
  readonly judge: Judge;
  readonly model: LedgerModel;
  readonly observer: Observer;
};

/**
 * One control-plane process: the product's ledger, registry and tenant record in memory, with a database that breaks
 * when told to. The routes above are left out: they price and phrase, and move no money.
 */
export class Replica {
  readonly #deps: ReplicaDeps;
  readonly #database: FaultyDatabase;
  #ledger: Ledger;
  readonly #leases: Leases;
  #record: TenantRecord;

  constructor(deps: ReplicaDeps) {
    this.#deps = deps;
    this.#database = new FaultyDatabase(deps.pool);
    this.#ledger = new Ledger(this.#database.pool, deps.now);
    this.#leases = new Leases(this.#database.pool, deps.now);
    this.#record = deps.tenant.record;
  }

  /** Forgets what a process keeps in memory. */
  restart(): void {
    this.#ledger = new Ledger(this.#database.pool, this.#deps.now);
    this.#record = this.#deps.tenant.record;
  }

  /** What the gateway's routes do, down to the status they answer with. */
  async handle(from: string, operation: GatewayOperation, fault: DatabaseFault | undefined): Promise<Answer> {
    this.#database.arm(fault);
    const { judge } = this.#deps;
    const failed = { status: 500, code: 'internal' };
    switch (operation.kind) {
      case 'authorise':
        return (await this.#authorise(from, operation.request, operation.asked)) ?? failed;
      case 'lease':
        return (await this.#lease(from, operation.request)) ?? failed;
      case 'settle': {
        if (operation.lease !== undefined)
          return (await this.#settleLeased(from, operation, operation.lease)) ?? failed;
        const read = async () => ({ terms: await this.#ledger.termsOf(this.#record.account, operation.request) });
        const known = await this.#database.unlessLost(read);
        if (known === undefined) return failed;
        const charged = known.terms === undefined ? 0 : operation.used;
        const outcome = await judge.request(this.#database, this.#settling(from, operation, charged));
        return answerToSettle(outcome) ?? failed;
      }
      case 'void': {
        const state = await judge.request(this.#database, this.#voiding(from, operation.request, operation.reason));
        if (state === undefined) return failed;
        return state === 'posted' ? { status: 409, code: 'already_posted' } : { status: 200, code: state };
      }
    }
  }

  async #authorise(from: string, request: string, asked: Asked): Promise<Answer | undefined> {
    for (let attempt = 0; attempt < MAX_STALE_RETRIES; attempt += 1) {
      const outcome = await this.#deps.judge.request(this.#database, this.#authorising(from, request, asked));
      if (outcome?.outcome !== 'stale') return answerToAuthorise(outcome);
      const read = () => new Catalogue(this.#database.pool).tenantByName(this.#deps.tenant.name);
      const fresh = await this.#database.unlessLost(read);
      if (fresh === undefined) return undefined;
      this.#record = fresh;
    }
    throw new Error('the tenant kept changing');
  }

  async #lease(from: string, id: string): Promise<Answer | undefined> {
    const { judge, tenant } = this.#deps;
    if (tenant.lease === null) return { status: 200, code: 'denied' };
    const { amount, seconds } = tenant.lease;
    const holdTtlMs = seconds * 1000 + tenant.holdTtlMs;
    for (let attempt = 0; attempt < MAX_STALE_RETRIES; attempt += 1) {
      const { account, id: number, revision } = this.#record;
      const outcome = await judge.lease(this.#database, { from, id, amount, revision, holdTtlMs }, () =>
        this.#leases.take({
          account,
          tenant: number,
          tenantRevision: revision,
          catalogueRevision: tenant.catalogueRevision,
          leaseId: id,
          basis: {},
          wishedNanoEur: BigInt(amount),
          holdTtlMs,
        }),
      );
      if (outcome?.outcome === 'granted') {
        return { status: 200, code: 'granted', lease: { left: Number(outcome.leftNanoEur), seconds } };
      }
      if (outcome?.outcome !== 'stale') return outcome && { status: 200, code: outcome.outcome };
      const fresh = await this.#database.unlessLost(() => new Catalogue(this.#database.pool).tenantByName(tenant.name));
      if (fresh === undefined) return undefined;
      this.#record = fresh;
    }
    throw new Error('the tenant kept changing');
  }

  async #settleLeased(
    from: string,
    { request, used }: { request: string; used: number },
    lease: { readonly id: string; readonly asked: Asked },
  ): Promise<Answer | undefined> {
    const { tenant, judge } = this.#deps;
    const { account } = this.#record;
    const basis = await this.#database.unlessLost(async () => ({
      read: await this.#leases.basisOf(account, lease.id),
    }));
    if (basis === undefined) return undefined;
    if (basis.read === undefined) return { status: 404, code: 'lease_unknown' };
    const { key, user, bound } = lease.asked;
    const outcome = await judge.request(
      this.#database,
      judge.settlingLeased({ from, request, used, lease }, () =>
        this.#leases.settle(settlementOf(account, request, used, used), {
          leaseId: lease.id,
          tenant: this.#record.id,
          keySha256: tenant.keySha256[key],
          user: user === null ? undefined : { externalId: `user-${user}` },
          boundNanoEur: BigInt(bound),
          maxOutputTokens: bound,
          terms: TERMS,
          holdTtlMs: tenant.holdTtlMs,
        }),
      ),
    );
    return answerToSettle(outcome);
  }

  /** What reaches the control plane from elsewhere than a gateway. */
  async operate(step: OperationStep): Promise<void> {
    this.#database.arm(step.database);
    const { judge, tenant } = this.#deps;
    const { account } = this.#record;
    const database = this.#database;
    switch (step.kind) {
      case 'grant': {
        const { key, source, amount, priority, expiresAtMs } = step;
        const terms = { key, source, amount, priority, expiresAtMs };
        const options = {
          priority: priority ?? undefined,
          expiresAt: expiresAtMs === null ? undefined : new Date(expiresAtMs),
        };
        const nanoEur = amount === null ? null : BigInt(amount);
        await judge.grant(database, terms, () =>
          this.#ledger.addGrant(account, key, payloadHash(terms), source, nanoEur, null, options),
        );
        return;
      }
      case 'reverse': {
        const sequence = this.#deps.observer.lineOf(step.of) ?? 0;
        const payload = payloadHash({ of: step.of, amount: step.amount });
        const nanoEur = step.amount === null ? null : BigInt(step.amount);
        await judge.reverse(database, step, () =>
          this.#ledger.reverse(account, step.key, payload, BigInt(sequence), nanoEur, null),
        );
        return;
      }
      case 'register': {
        const { monthlyBudget, timeZone } = step;
        const registration = tenant.registration({ monthlyBudget, timeZone });
        await judge.register(database, { monthlyBudget, timeZone }, () =>
          registerTenant(database.pool, this.#ledger, tenant.name, registration),
        );
        return;
      }
      case 'limit': {
        await storeLimit(this.#deps.pool, this.#record.id, step.subject, step.limit);
        this.#deps.model.subs.own.set(step.subject, step.limit);
        await judge.refreshLimits(database, `limit of ${step.subject}: ${step.limit}`, () =>
          this.#ledger.refreshLimits(account),
        );
        return;
      }
      case 'sweep':
        return judge.sweep(database, () => this.#ledger.sweep(SWEEP_LIMIT));
      case 'budget':
        return judge.budget(database, () => this.#ledger.budget(account));
      case 'stray':
        return judge.together(
          database,
          step.calls.map((call) => this.#stray(call)),
        );
    }
  }

  #stray(call: StrayCall): Operation {
    // An operation of any kind is run and compared the same way; what its answer is made of stays inside of it.
    if (call.kind === 'authorise') return this.#authorising('stray', call.request, call.asked) as Operation;
    if (call.kind === 'settle') return this.#settling('stray', call, call.used) as Operation;
    return this.#voiding('stray', call.request, 'client_gone') as Operation;
  }

  #authorising(from: string, request: string, asked: Asked): Operation<AuthoriseOutcome> {
    const { tenant, judge } = this.#deps;
    const { account, id, revision } = this.#record;
    const { bound, user, key, clamp } = asked;
    return judge.authorising({ from, request, asked, revision }, () =>
      this.#ledger.authorise({
        account,
        tenant: id,
        tenantRevision: revision,
        catalogueRevision: tenant.catalogueRevision,
        requestId: request,
        payload: payloadHash(asked),
        keySha256: tenant.keySha256[key],
        user: user === null ? undefined : { externalId: `user-${user}` },
        amountNanoEur: BigInt(bound),
        maxOutputTokens: bound,
        clamp: clamp === null ? undefined : clampOf(clamp),
        terms: TERMS,
        holdTtlMs: tenant.holdTtlMs,
        traceId: undefined,
      }),
    );
  }

  #settling(
    from: string,
    { request, used }: { request: string; used: number },
    charged: number,
  ): Operation<SettleOutcome> {
    const { account } = this.#record;
    return this.#deps.judge.settling({ from, request, used }, () =>
      this.#ledger.settle(settlementOf(account, request, used, charged)),
    );
  }

  #voiding(from: string, request: string, reason: string): Operation<string> {
    const real = () => this.#ledger.void(this.#record.account, request, reason);
    return this.#deps.judge.voiding({ from, request }, real);
  }
}

function settlementOf(account: bigint, requestId: string, used: number, charged: number): SettleInput {
  return {
    account,
    requestId,
    settlement: payloadHash({ used }),
    modelServed: 'small',
    usage: USAGE,
    charge: chargeOf(charged),
    prices: null,
    cacheHit: false,
    finish: 'complete',
    startedAt: '2026-11-20T10:00:00Z',
    firstTokenAt: null,
    endedAt: '2026-11-20T10:00:01Z',
    traceId: undefined,
  };
}

function clampOf({ min, step }: { readonly min: number; readonly step: number }) {
  return { minOutputTokens: 1, minAmountNanoEur: BigInt(min), stepOutputTokens: 1, stepNanoEur: BigInt(step) };
}

function answerToAuthorise(outcome: AuthoriseOutcome | undefined): Answer | undefined {
  if (outcome === undefined) return undefined;
  if (outcome.outcome === 'granted') return { status: 200, code: 'granted', leasable: outcome.unlimited };
  if (outcome.outcome === 'refused') return { status: outcome.reason === 'spent' ? 402 : 429, code: outcome.reason };
  const statuses: Partial<Record<AuthoriseOutcome['outcome'], number>> = { key_unknown: 401, seats_taken: 403 };
  return { status: statuses[outcome.outcome] ?? 409, code: outcome.outcome };
}

function answerToSettle(outcome: SettleOutcome | undefined): Answer | undefined {
  if (outcome === undefined) return undefined;
  if (outcome.outcome === 'posted' || outcome.outcome === 'replayed') return { status: 200, code: 'posted' };
  return { status: outcome.outcome === 'unknown' ? 404 : 409, code: outcome.outcome };
}
