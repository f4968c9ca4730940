import type { TenantStatus } from '@cloudfreedom/crds/tenant.ts';
import { euroText, nanoEur } from '../control-plane-client/money.ts';
import type { Budget } from '../control-plane-client/shapes.ts';

/** The budget as a status shows it. */
export type BudgetSummary = NonNullable<TenantStatus['budget']>;

/**
 * The budget for the status. It follows the ledger only when that is worth a write: when the grant changed, when a
 * hundredth of it was spent, and when an alert threshold was crossed.
 */
export function budgetSummary(
  budget: Budget,
  previous: BudgetSummary | undefined,
  thresholdsPercent: readonly number[],
): BudgetSummary {
  const granted = BigInt(budget.grantedNanoEur);
  const spent = BigInt(budget.postedNanoEur);
  const fresh = {
    grantedEur: euroText(granted),
    spentEur: euroText(spent),
    availableEur: euroText(BigInt(budget.availableNanoEur)),
  };
  if (previous?.spentEur === undefined || previous.grantedEur !== fresh.grantedEur) return fresh;
  const before = nanoEur(previous.spentEur.replace('-', ''));
  const moved = spent > before ? spent - before : before - spent;
  const crossed = thresholdsPercent.some(
    (percent) => reached(before, granted, percent) !== reached(spent, granted, percent),
  );
  return crossed || (moved > 0n && moved * 100n >= granted) ? fresh : previous;
}

function reached(spent: bigint, granted: bigint, percent: number): boolean {
  return spent * 100n >= granted * BigInt(percent);
}
