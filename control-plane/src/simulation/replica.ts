import type pg from 'pg';
import { Catalogue } from '../catalogue/catalogue.ts';
import type { TenantRecord } from '../catalogue/tenant-record.ts';
import { type AuthoriseOutcome, Ledger, type SettleOutcome } from '../ledger/ledger.ts';
import { payloadHash } from '../ledger/payload-hash.ts';
import { registerTenant } from '../registry/register-tenant.ts';
import { FaultyDatabase } from './database.ts';
import type { Judge } from './judge.ts';
import type { DatabaseFault, OperationStep } from './scenario.ts';
import { chargeOf, type SimulatedTenant, TERMS, USAGE } from './tenant.ts';

/** What a gateway asks of the control plane. */
export type GatewayOperation =
  | { readonly kind: 'authorise'; readonly request: string; readonly bound: number; readonly user: number | null }
  | { readonly kind: 'settle'; readonly request: string; readonly used: number }
  | { readonly kind: 'void'; readonly request: string; readonly reason: string };

/** What the hook sees of an answer. */
export type Answer = { readonly status: number; readonly code: string };

/** As in routes/gateway/authorise.ts. */
const MAX_STALE_RETRIES = 5;

/**
 * One control-plane process: the product's ledger, registry and tenant record in memory, with a database that breaks
 * when told to. The routes above are left out: they price and phrase, and move no money.
 */
export class Replica {
  readonly #judge: Judge;
  readonly #tenant: SimulatedTenant;
  readonly #database: FaultyDatabase;
  readonly #now: () => Date;
  #ledger: Ledger;
  #record: TenantRecord;

  constructor(pool: pg.Pool, judge: Judge, tenant: SimulatedTenant, now: () => Date) {
    this.#judge = judge;
    this.#tenant = tenant;
    this.#now = now;
    this.#database = new FaultyDatabase(pool);
    this.#ledger = new Ledger(this.#database.pool, now);
    this.#record = tenant.record;
  }

  /** Forgets what a process keeps in memory. */
  restart(): void {
    this.#ledger = new Ledger(this.#database.pool, this.#now);
    this.#record = this.#tenant.record;
  }

  /** What the gateway's routes do, down to the status they answer with. */
  async handle(from: string, operation: GatewayOperation, fault: DatabaseFault | undefined): Promise<Answer> {
    this.#database.arm(fault);
    const answer = await this.#attempt(from, operation);
    return answer ?? { status: 500, code: 'internal' };
  }

  #attempt(from: string, operation: GatewayOperation): Promise<Answer | undefined> {
    if (operation.kind === 'authorise') return this.#authorise(from, operation);
    return operation.kind === 'settle' ? this.#settle(from, operation) : this.#void(from, operation);
  }

  async #authorise(from: string, { request, bound, user }: GatewayOperation & { kind: 'authorise' }) {
    for (let attempt = 0; attempt < MAX_STALE_RETRIES; attempt += 1) {
      const record = this.#record;
      const outcome = await this.#judge.authorise(this.#database, { from, request, bound, user, record }, () =>
        this.#ledger.authorise({
          account: record.account,
          tenant: record.id,
          tenantRevision: record.revision,
          catalogueRevision: this.#tenant.catalogueRevision,
          requestId: request,
          payload: payloadHash({ bound, user }),
          keySha256: this.#tenant.keySha256,
          user: user === null ? undefined : { externalId: `user-${user}` },
          amountNanoEur: BigInt(bound),
          maxOutputTokens: bound,
          terms: TERMS,
          holdTtlMs: this.#tenant.holdTtlMs,
          traceId: undefined,
        }),
      );
      if (outcome?.outcome !== 'stale') return answerToAuthorise(outcome);
      const read = () => new Catalogue(this.#database.pool).tenantByName(this.#tenant.name);
      const fresh = await this.#database.unlessLost(read);
      if (fresh === undefined) return undefined;
      this.#record = fresh;
    }
    throw new Error('the tenant kept changing');
  }

  async #settle(from: string, { request, used }: GatewayOperation & { kind: 'settle' }) {
    const { account } = this.#record;
    const known = await this.#database.unlessLost(async () => ({
      terms: await this.#ledger.termsOf(account, request),
    }));
    if (known === undefined) return undefined;
    const charge = chargeOf(known.terms === undefined ? 0 : used);
    const outcome = await this.#judge.settle(this.#database, { from, request, used }, () =>
      this.#ledger.settle({
        account,
        requestId: request,
        settlement: payloadHash({ used }),
        modelServed: 'small',
        usage: USAGE,
        charge,
        prices: null,
        cacheHit: false,
        finish: 'complete',
        startedAt: '2026-11-20T10:00:00Z',
        firstTokenAt: null,
        endedAt: '2026-11-20T10:00:01Z',
        traceId: undefined,
      }),
    );
    return answerToSettle(outcome);
  }

  async #void(from: string, { request, reason }: GatewayOperation & { kind: 'void' }) {
    const state = await this.#judge.void(this.#database, { from, request }, () =>
      this.#ledger.void(this.#record.account, request, reason),
    );
    if (state === undefined) return undefined;
    return state === 'posted' ? { status: 409, code: 'already_posted' } : { status: 200, code: state };
  }

  /** What reaches the control plane from elsewhere than a gateway. */
  async operate(step: OperationStep): Promise<void> {
    this.#database.arm(step.database);
    const { account } = this.#record;
    switch (step.kind) {
      case 'grant': {
        const { key, source, amount } = step;
        const payload = payloadHash({ source, amount });
        const nanoEur = amount === null ? null : BigInt(amount);
        await this.#judge.grant(this.#database, step, () =>
          this.#ledger.addGrant(account, key, payload, source, nanoEur, null),
        );
        return;
      }
      case 'register': {
        const registration = this.#tenant.registration(step.monthlyBudget);
        await this.#judge.register(this.#database, step.monthlyBudget, () =>
          registerTenant(this.#database.pool, this.#ledger, this.#tenant.name, registration),
        );
        return;
      }
      case 'sweep':
        await this.#judge.sweep(this.#database, () => this.#ledger.sweep(100));
        return;
      case 'budget':
        await this.#judge.budget(this.#database, () => this.#ledger.budget(account));
        return;
      case 'stray_authorise':
        await this.#authorise('stray', { kind: 'authorise', request: step.request, bound: step.bound, user: null });
        return;
      case 'stray_settle':
        await this.#settle('stray', { kind: 'settle', request: step.request, used: step.used });
        return;
      case 'stray_void':
        await this.#void('stray', { kind: 'void', request: step.request, reason: 'client_gone' });
        return;
    }
  }
}

function answerToAuthorise(outcome: AuthoriseOutcome | undefined): Answer | undefined {
  if (outcome === undefined) return undefined;
  if (outcome.outcome === 'granted') return { status: 200, code: 'granted' };
  if (outcome.outcome === 'refused') return { status: outcome.reason === 'spent' ? 402 : 429, code: outcome.reason };
  return { status: outcome.outcome === 'key_unknown' ? 401 : 409, code: outcome.outcome };
}

function answerToSettle(outcome: SettleOutcome | undefined): Answer | undefined {
  if (outcome === undefined) return undefined;
  if (outcome.outcome === 'posted' || outcome.outcome === 'replayed') return { status: 200, code: 'posted' };
  return { status: outcome.outcome === 'unknown' ? 404 : 409, code: outcome.outcome };
}
