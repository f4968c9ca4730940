import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Catalogue, storeRate } from '../catalogue/catalogue.ts';
import type { TenantRegistration } from '../catalogue/registrations.ts';
import { hashSecret } from '../http/auth.ts';
import {
  type AuthoriseInput,
  type AuthoriseOutcome,
  Ledger,
  type SettleInput,
  type SettleOutcome,
} from '../ledger/ledger.ts';
import { payloadHash } from '../ledger/payload-hash.ts';
import type { HoldTerms } from '../ledger/terms.ts';
import type { Usage } from '../pricing/cost.ts';
import { registerTenant } from '../registry/register-tenant.ts';
import { tenantRegistration, tenantSecrets } from './registrations.ts';

const MINUTE_MS = 60_000;

/** What every request is billed by. */
export const TERMS: HoldTerms = {
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

/** The settlement of a request that cost `total`. */
export function settlementOf(account: bigint, requestId: string, total: bigint): SettleInput {
  return {
    account,
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
  };
}

/** One account with its ledger, spoken to in amounts: prices have tests of their own. */
export type LedgerBench = {
  readonly ledger: Ledger;
  readonly account: bigint;
  readonly authorise: (
    amount: bigint,
    requestId?: string,
    note?: string,
    more?: Partial<AuthoriseInput>,
  ) => Promise<AuthoriseOutcome>;
  /** Issues an API key. @returns its id and hash */
  readonly apiKey: (member?: string) => Promise<{ id: string; keySha256: Buffer }>;
  readonly tenant: bigint;
  readonly settle: (requestId: string, total: bigint) => Promise<SettleOutcome>;
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
  return {
    ledger,
    account: tenant.account,
    authorise: async (amountNanoEur, requestId = randomUUID(), note = '', more = {}) =>
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
        holdTtlMs: options.holdTtlMs ?? MINUTE_MS,
        traceId: undefined,
        ...more,
      }),
    apiKey: async (member) => {
      const keySha256 = randomBytes(32);
      const { rows: keys } = await pool.query<{ id: string }>(
        `insert into api_key (tenant_id, member_id, kind, name, sha256) values ($1, $2, 'api', 'key', $3) returning id`,
        [tenant.id, member ?? null, keySha256],
      );
      return { id: keys[0]?.id ?? '', keySha256 };
    },
    tenant: tenant.id,
    settle: (requestId, total) => ledger.settle(settlementOf(tenant.account, requestId, total)),
    register: async (more) => {
      tenant = await stored(more);
    },
  };
}
