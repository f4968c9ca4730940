import type pg from 'pg';
import { PlanRegistration } from '../../catalogue/registrations.ts';
import { registrationOf } from '../../registry/named-registration.ts';

/**
 * Why a plan cannot be chosen; undefined when it can. A plan without a price is by agreement: only the platform's
 * administration gives it.
 */
export async function planRefusal(
  pool: pg.Pool,
  plan: string,
  { platform }: { platform: boolean },
): Promise<'plan_unknown' | 'plan_by_agreement' | undefined> {
  const stored = await registrationOf(pool, 'plan', plan);
  if (stored === undefined) return 'plan_unknown';
  return platform || PlanRegistration.parse(stored).pricePerMonthNanoEur !== null ? undefined : 'plan_by_agreement';
}

/** Whether a plan has fewer seats than people have taken. */
export async function hasTooFewSeats(pool: pg.Pool, tenant: bigint, plan: string): Promise<boolean> {
  const stored = await registrationOf(pool, 'plan', plan);
  const { maxMembers } = PlanRegistration.parse(stored);
  if (maxMembers === null) return false;
  const { rows } = await pool.query<{ taken: bigint }>(
    'select count(*) as taken from member where tenant_id = $1 and removed_at is null',
    [tenant],
  );
  return (rows[0]?.taken ?? 0n) > BigInt(maxMembers);
}
