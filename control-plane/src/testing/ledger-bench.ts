import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Catalogue, storeRate } from '../catalogue/catalogue.ts';
import type { TenantRegistration } from '../catalogue/registrations.ts';
import { hashSecret } from '../http/auth.ts';
import { type LeaseOutcome, Leases } from '../ledger/leases.ts';
import { type AuthoriseOutcome, Ledger, type SettleInput, type SettleOutcome } from '../ledger/ledger.ts';
import { payloadHash } from '../ledger/payload-hash.ts';
import type { HoldTerms } from '../ledger/terms.ts';
import type { Usage } from '../pricing/cost.ts';
import { registerTenant } from '../registry/register-tenant.ts';
import { tenantRegistration, tenantSecrets } from './registrations.ts';

const MINUTE_MS = 60_000;

const TERMS: HoldTerms = {
  model: 'small',
  callType: 'chat',
  stream: false,
  bound: { inputTokens: 1, outputTokens: 1, images: 0, audioInput: false },
  usdPerEurMicro: 1_000_000n,
  rateDay: '2026-11-20',
  marginPercent: 0,
  priceSnapshot: '0'.repeat(64),
  prices: {
    small: {
      input: 1n,
      cachedInput: 1n,
      cacheWrite: 1n,
      audioInput: 1n,
      output: 1n,
      audioOutput: 1n,
      image: 1n,
      source: 'model',
    },
  },
};

const USAGE: Usage = {
  inputTokens: 1,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  audioInputTokens: 0,
  outputTokens: 1,
  audioOutputTokens: 0,
  images: 0,
  totalTokens: 2,
};

/** One account with its ledger, spoken to in amounts: prices have tests of their own. */
export type LedgerBench = {
  readonly ledger: Ledger;
  readonly account: bigint;
  readonly authorise: (amount: bigint, requestId?: string, note?: string) => Promise<AuthoriseOutcome>;
  readonly settle: (requestId: string, total: bigint) => Promise<SettleOutcome>;
  /** Takes a lease, or makes it last longer. */
  readonly lease: (wished: bigint, leaseId: string) => Promise<LeaseOutcome>;
  /** Settles a call that was made within a lease, for this user of the chat. */
  readonly settleLeased: (
    leaseId: string,
    requestId: string,
    total: bigint,
    more?: { boundNanoEur?: bigint; user?: string },
  ) => Promise<SettleOutcome>;
  readonly register: (more: Partial<TenantRegistration>) => Promise<void>;
};

export type LedgerBenchOptions = {
  readonly pool: pg.Pool;
  readonly now?: () => Date;
  readonly holdTtlMs?: number;
  readonly registration?: Partial<TenantRegistration>;
};

export async function ledgerBench(options: LedgerBenchOptions): Promise<LedgerBench> {
  const { pool } = options;
  const ledger = new Ledger(pool, options.now);
  const leases = new Leases(pool, options.now);
  const name = `tenant-${randomUUID().slice(0, 8)}`;
  const secrets = tenantSecrets();
  await storeRate(pool, { day: '2026-11-20', usdPerEurMicro: 1_000_000n, source: 'test' });
  const catalogue = new Catalogue(pool);
  const stored = async (more: Partial<TenantRegistration>) => {
    await registerTenant(pool, ledger, name, tenantRegistration(secrets, { ...options.registration, ...more }));
    const record = await catalogue.tenantByName(name);
    if (record === undefined) throw new Error('the tenant was not stored');
    return record;
  };
  let tenant = await stored({});
  const { rows } = await pool.query<{ revision: bigint }>('select revision from catalogue');
  const catalogueRevision = rows[0]?.revision ?? 0n;
  const holdTtlMs = options.holdTtlMs ?? MINUTE_MS;
  const settlement = (requestId: string, total: bigint): SettleInput => ({
    account: tenant.account,
    requestId,
    settlement: payloadHash({ total: total.toString() }),
    modelServed: 'small',
    usage: USAGE,
    charge: { costNanoEur: total, marginNanoEur: 0n, totalNanoEur: total },
    prices: null,
    cacheHit: false,
    finish: 'complete',
    startedAt: '2026-11-20T10:00:00Z',
    firstTokenAt: null,
    endedAt: '2026-11-20T10:00:01Z',
    traceId: undefined,
  });
  return {
    ledger,
    account: tenant.account,
    authorise: async (amountNanoEur, requestId = randomUUID(), note = '') =>
      ledger.authorise({
        account: tenant.account,
        tenant: tenant.id,
        tenantRevision: tenant.revision,
        catalogueRevision,
        requestId,
        payload: payloadHash({ amountNanoEur: amountNanoEur.toString(), note }),
        keySha256: hashSecret(secrets.chatKey),
        user: undefined,
        amountNanoEur,
        maxOutputTokens: 1,
        terms: TERMS,
        holdTtlMs,
        traceId: undefined,
      }),
    settle: (requestId, total) => ledger.settle(settlement(requestId, total)),
    lease: (wishedNanoEur, leaseId) =>
      leases.take({
        account: tenant.account,
        tenant: tenant.id,
        tenantRevision: tenant.revision,
        catalogueRevision,
        leaseId,
        basis: {},
        wishedNanoEur,
        holdTtlMs,
      }),
    settleLeased: (leaseId, requestId, total, { boundNanoEur = total, user } = {}) =>
      leases.settle(settlement(requestId, total), {
        leaseId,
        tenant: tenant.id,
        keySha256: hashSecret(secrets.chatKey),
        user: user === undefined ? undefined : { externalId: user },
        boundNanoEur,
        maxOutputTokens: 1,
        terms: TERMS,
        holdTtlMs,
      }),
    register: async (more) => {
      tenant = await stored(more);
    },
  };
}
