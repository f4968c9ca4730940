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
import type { Registered } from './judge.ts';
import type { Scenario } from './scenario.ts';
import { FIRST_MEMBERS, KEY_OWNER } from './sub-budgets.ts';

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
  readonly keySha256: Readonly<Record<'chat' | 'api', Buffer>>;
  readonly holdTtlMs: number;
  readonly lease: Scenario['lease'];
  readonly registration: (wished: Registered) => TenantRegistration;
};

export async function openTenant(pool: pg.Pool, scenario: Scenario): Promise<SimulatedTenant> {
  const name = `sim-${randomUUID()}`;
  const secrets = tenantSecrets();
  const registration = ({ monthlyBudget, timeZone }: Registered) =>
    tenantRegistration(secrets, {
      monthlyBudgetNanoEur: String(monthlyBudget),
      memberBudgetNanoEur: asText(scenario.memberBudget),
      keyBudgetNanoEur: asText(scenario.keyBudget),
      maxMembers: scenario.maxMembers,
      timeZone,
    });
  const startsAt = new Date(scenario.startsAt);
  await registerTenant(pool, new Ledger(pool, () => startsAt), name, registration(scenario));
  const record = await new Catalogue(pool).tenantByName(name);
  if (record === undefined) throw new Error(`tenant ${name} was not stored`);
  await openSubjects(pool, record);
  const { rows } = await pool.query<{ revision: bigint }>('select revision from catalogue');
  const catalogueRevision = rows[0]?.revision ?? 0n;
  const keySha256 = { chat: hashSecret(secrets.chatKey), api: hashSecret(`cf-${name}`) };
  return {
    name,
    record,
    catalogueRevision,
    keySha256,
    holdTtlMs: scenario.holdTtlMs,
    lease: scenario.lease,
    registration,
  };
}

function asText(amount: number | null): string | null {
  return amount === null ? null : String(amount);
}

/** The first users of the chat, one of whom has a key. */
async function openSubjects(pool: pg.Pool, { id, name }: TenantRecord): Promise<void> {
  await pool.query(
    `with m as (insert into member (tenant_id, external_id, role) select $1, 'user-' || n, 'user' from generate_series(1, $4) n
             returning id, external_id)
     insert into api_key (tenant_id, member_id, kind, name, sha256)
     select $1, id, 'api', 'key', $2 from m where external_id = $3`,
    [id, hashSecret(`cf-${name}`), `user-${KEY_OWNER}`, FIRST_MEMBERS],
  );
}

/** Gives a user or the key a limit of its own. */
export async function storeLimit(pool: pg.Pool, tenant: bigint, subject: string, limit: number | null): Promise<void> {
  await pool.query({
    name: 'store_limit',
    text: `with m as (update member set monthly_budget = $3 where tenant_id = $1 and external_id = $2)
      update api_key set monthly_budget = $3 where tenant_id = $1 and kind = 'api' and name = $2`,
    values: [tenant, subject, limit],
  });
}

/** Sees to it that no later run's sweep finds anything to do here. */
export async function retireTenant(pool: pg.Pool, tenant: SimulatedTenant): Promise<void> {
  await pool.query({
    name: 'retire_tenant',
    text: `with h as (update hold set state = 'voided', closed_at = now() where account_id = $1 and state = 'held')
      update balance set held = 0, period_ends_at = 'infinity', due_at = 'infinity' where account_id = $1`,
    values: [tenant.record.account],
  });
}
