import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Catalogue } from '../catalogue/catalogue.ts';
import type { TenantRegistration } from '../catalogue/registrations.ts';
import type { TenantRecord } from '../catalogue/tenant-record.ts';
import { hashSecret } from '../http/auth.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { HoldTerms } from '../ledger/terms.ts';
import type { Charge, Usage } from '../pricing/cost.ts';
import { registerTenant } from '../registry/register-tenant.ts';
import { tenantRegistration, tenantSecrets } from '../testing/registrations.ts';
import type { Scenario } from './scenario.ts';

const ONE = { input: 1n, cachedInput: 1n, cacheWrite: 1n, audioInput: 1n, output: 1n, audioOutput: 1n, image: 1n };

/** Amounts are said outright here: what a token costs has tests of its own. */
export const TERMS: HoldTerms = {
  model: 'small',
  callType: 'chat',
  stream: true,
  bound: { inputTokens: 1, outputTokens: 1, images: 0, audioInput: false },
  usdPerEurMicro: 1_000_000n,
  rateDay: '2026-11-20',
  marginPercent: 0,
  priceSnapshot: 'simulation',
  prices: { small: { ...ONE, source: 'model' } },
};
export const USAGE: Usage = {
  inputTokens: 1,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  audioInputTokens: 0,
  outputTokens: 1,
  audioOutputTokens: 0,
  images: 0,
  totalTokens: null,
};

export function chargeOf(total: number): Charge {
  return { costNanoEur: BigInt(total), marginNanoEur: 0n, totalNanoEur: BigInt(total) };
}

/** The tenant of one run: a fresh one, so that runs leave nothing behind that the next could see. */
export type SimulatedTenant = {
  readonly name: string;
  readonly record: TenantRecord;
  readonly catalogueRevision: bigint;
  readonly keySha256: Buffer;
  readonly holdTtlMs: number;
  readonly registration: (monthlyBudget: number) => TenantRegistration;
};

export async function openTenant(pool: pg.Pool, scenario: Scenario): Promise<SimulatedTenant> {
  const name = `sim-${randomUUID()}`;
  const secrets = tenantSecrets();
  const registration = (monthlyBudget: number) =>
    tenantRegistration(secrets, { monthlyBudgetNanoEur: String(monthlyBudget), timeZone: scenario.timeZone });
  const startsAt = new Date(scenario.startsAt);
  await registerTenant(pool, new Ledger(pool, () => startsAt), name, registration(scenario.monthlyBudget));
  const record = await new Catalogue(pool).tenantByName(name);
  if (record === undefined) throw new Error(`tenant ${name} was not stored`);
  const { rows } = await pool.query<{ revision: bigint }>('select revision from catalogue');
  const catalogueRevision = rows[0]?.revision ?? 0n;
  const keySha256 = hashSecret(secrets.chatKey);
  return { name, record, catalogueRevision, keySha256, holdTtlMs: scenario.holdTtlMs, registration };
}

/** Ends what a failed run left held, so that no later run's sweep finds it. */
export async function abandonTenant(pool: pg.Pool, tenant: SimulatedTenant): Promise<void> {
  await pool.query(`update hold set state = 'voided', closed_at = now() where account_id = $1 and state = 'held'`, [
    tenant.record.account,
  ]);
}
