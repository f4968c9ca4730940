import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { storeRate } from '@cloudfreedom/control-plane/catalogue/catalogue.ts';
import { startEmbeddedPostgres } from '@cloudfreedom/control-plane/database/embedded-postgres.ts';
import { migrate } from '@cloudfreedom/control-plane/database/migrate.ts';
import { openPool } from '@cloudfreedom/control-plane/database/pool.ts';
import { hashSecret } from '@cloudfreedom/control-plane/http/auth.ts';
import { Ledger } from '@cloudfreedom/control-plane/ledger/ledger.ts';
import type { HoldTerms } from '@cloudfreedom/control-plane/ledger/terms.ts';
import { registerTenant } from '@cloudfreedom/control-plane/registry/register-tenant.ts';
import { tenantRegistration, tenantSecrets } from '@cloudfreedom/control-plane/testing/registrations.ts';
import type pg from 'pg';

/** Tenants, and users of each: enough that neither rows nor pages are shared by chance. */
export const TENANTS = 200;
export const USERS_PER_TENANT = 20;
/** Nano-euro held by a request, and billed for it. */
export const HOLD = 1_000_000n;
export const BILLED = 600_000n;
/** Connections, of both contestants. */
export const CONNECTIONS = 16;

const MONTHLY_BUDGET = '10000000000000000';
const HOLD_TTL_MS = 3_600_000;

/** What a chat request on one model with one fallback carries. */
export const TERMS: HoldTerms = {
  model: 'gpt-4o-mini',
  callType: 'chat',
  stream: true,
  bound: { inputTokens: 1200, outputTokens: 4096, images: 0, audioInput: false },
  usdPerEurMicro: 1_159_000n,
  rateDay: '2026-11-20',
  marginPercent: 20,
  priceSnapshot: '0'.repeat(64),
  prices: Object.fromEntries(
    ['gpt-4o-mini', 'gpt-4o'].map((model) => [
      model,
      {
        input: 150_000n,
        cachedInput: 75_000n,
        cacheWrite: 150_000n,
        audioInput: 150_000n,
        output: 600_000n,
        audioOutput: 600_000n,
        image: 0n,
        source: 'model',
      },
    ]),
  ),
};

export type BenchTenant = {
  readonly account: bigint;
  readonly tenant: bigint;
  readonly revision: bigint;
  readonly key: Buffer;
};

export type LedgerRig = {
  readonly pool: pg.Pool;
  readonly ledger: Ledger;
  readonly tenants: readonly BenchTenant[];
  readonly superuserUrl: string;
  readonly url: string;
  /** One request from its authorisation to its settlement. @returns milliseconds that the authorisation took */
  readonly pair: (tenant: BenchTenant, user: number) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** The id of a user: pgbench has to work it out, too. */
export const memberId = (tenant: number, user: number): string =>
  `00000000-0000-4000-8000-${(tenant * 1000 + user).toString(16).padStart(12, '0')}`;

/** A Postgres of its own with the product's settings, and tenants whose budgets never end. */
export async function startLedgerRig(): Promise<LedgerRig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cloudfreedom-bench-'));
  await chmod(folder, 0o711);
  const postgres = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), onLog: () => {} });
  const pool = openPool({ url: postgres.url, maxConnections: CONNECTIONS, onError: () => {} });
  await migrate(pool);
  await storeRate(pool, { day: '2026-11-20', usdPerEurMicro: 1_159_000n, source: 'bench' });
  const ledger = new Ledger(pool);
  const tenants: BenchTenant[] = [];
  for (let number = 1; number <= TENANTS; number++) {
    const secrets = tenantSecrets();
    const registration = tenantRegistration(secrets, { monthlyBudgetNanoEur: MONTHLY_BUDGET });
    await registerTenant(pool, ledger, `tenant-${number}`, registration);
    const { rows } = await pool.query<{ account: bigint; tenant: bigint; revision: bigint }>(
      'select a.id as account, t.id as tenant, t.revision from tenant t join account a on a.tenant_id = t.id where name = $1',
      [`tenant-${number}`],
    );
    if (rows[0] === undefined) throw new Error('a tenant was not stored');
    tenants.push({ ...rows[0], key: hashSecret(secrets.chatKey) });
    const users = Array.from({ length: USERS_PER_TENANT }, (_, user) => user);
    await pool.query(
      `insert into member (id, tenant_id, external_id, role) select id, $1, external_id, 'user' from unnest($2::uuid[], $3::text[]) u(id, external_id)`,
      [rows[0].tenant, users.map((user) => memberId(number, user)), users.map((user) => `user-${user}`)],
    );
  }
  const { rows } = await pool.query<{ revision: bigint }>('select revision from catalogue');
  const catalogueRevision = rows[0]?.revision ?? 0n;
  const pair: LedgerRig['pair'] = async (tenant, user) => {
    const requestId = randomUUID();
    const began = performance.now();
    const authorised = await ledger.authorise({
      account: tenant.account,
      tenant: tenant.tenant,
      tenantRevision: tenant.revision,
      catalogueRevision,
      requestId,
      payload: randomBytes(32),
      keySha256: tenant.key,
      user: { externalId: `user-${user}` },
      amountNanoEur: HOLD,
      maxOutputTokens: 4096,
      terms: TERMS,
      holdTtlMs: HOLD_TTL_MS,
      traceId: undefined,
    });
    const took = performance.now() - began;
    if (authorised.outcome !== 'granted') throw new Error(`authorise answered ${authorised.outcome}`);
    const settled = await ledger.settle({
      account: tenant.account,
      requestId,
      settlement: randomBytes(32),
      modelServed: 'gpt-4o-mini',
      usage: {
        inputTokens: 900,
        cachedInputTokens: 100,
        cacheWriteTokens: 0,
        audioInputTokens: 0,
        outputTokens: 500,
        audioOutputTokens: 0,
        images: 0,
        totalTokens: 1500,
      },
      charge: { costNanoEur: 500_000n, marginNanoEur: 100_000n, totalNanoEur: BILLED },
      prices: TERMS.prices['gpt-4o-mini'],
      cacheHit: false,
      finish: 'complete',
      startedAt: '2026-11-20T10:00:00.000Z',
      firstTokenAt: '2026-11-20T10:00:00.400Z',
      endedAt: '2026-11-20T10:00:02.000Z',
      traceId: undefined,
    });
    if (settled.outcome !== 'posted') throw new Error(`settle answered ${settled.outcome}`);
    return took;
  };
  return {
    pool,
    ledger,
    tenants,
    superuserUrl: postgres.superuserUrl,
    url: postgres.url,
    pair,
    stop: async () => {
      await pool.end();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
