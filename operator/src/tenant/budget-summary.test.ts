import { describe, expect, it } from 'vitest';
import { euroText, nanoEur } from '../control-plane-client/money.ts';
import { budgetSummary } from './budget-summary.ts';

const EUR = 1_000_000_000n;
const budget = (granted: bigint, posted: bigint) => ({
  grantedNanoEur: granted.toString(),
  postedNanoEur: posted.toString(),
  heldNanoEur: '0',
  availableNanoEur: (granted - posted).toString(),
  resetsAt: '2026-04-01T00:00:00Z',
});

describe('the budget in the status', () => {
  const before = budgetSummary(budget(100n * EUR, 49n * EUR + 500_000_000n), undefined, [50, 80, 100]);

  it('is exact', () => {
    expect(before).toEqual({ grantedEur: '100.00', spentEur: '49.50', availableEur: '50.50' });
    expect(budgetSummary(budget(EUR, 1n), undefined, []).spentEur).toBe('0.000000001');
  });

  it.each([
    ['stays while less than a hundredth was spent', 100n * EUR, 49n * EUR + 900_000_000n, '49.50'],
    ['follows when a threshold is crossed', 100n * EUR, 50n * EUR, '50.00'],
    ['follows when a hundredth was spent', 100n * EUR, 50n * EUR + 500_000_000n, '50.50'],
    ['follows when the grant changes', 110n * EUR, 49n * EUR + 500_000_000n, '49.50'],
    ['follows when a new month begins', 100n * EUR, 0n, '0.00'],
  ])('%s', (_what, granted, posted, spent) => {
    const after = budgetSummary(budget(granted, posted), before, [50, 80, 100]);
    expect(after.spentEur).toBe(spent);
    expect(after.grantedEur).toBe(euroText(granted));
  });
});

describe('euro', () => {
  it.each([
    ['0', 0n, '0.00'],
    ['25', 25n * EUR, '25.00'],
    ['0.05', 50_000_000n, '0.05'],
    ['999999999.99', 999_999_999_990_000_000n, '999999999.99'],
  ])('%s is %d nano-euro, and reads as %s', (text, nano, shown) => {
    expect(nanoEur(text)).toBe(nano);
    expect(euroText(nano)).toBe(shown);
  });

  it('below zero keeps its sign', () => {
    expect(euroText(-1_500_000_000n)).toBe('-1.50');
  });
});
