import { describe, expect, test } from 'vitest';
import { type ForecastInput, forecast, windowStart } from './forecast.ts';

const EUR = 1_000_000_000n;

/** Half of November in Berlin is over; ten of twenty-five euro are spent, seven of them in the last week. */
const INPUT: ForecastInput = {
  now: new Date('2026-11-15T23:00:00Z'),
  timeZone: 'Europe/Berlin',
  periodEndsAt: new Date('2026-11-30T23:00:00Z'),
  since: new Date('2026-01-01T00:00:00Z'),
  spentNanoEur: 10n * EUR,
  windowSpentNanoEur: 6n * EUR,
  remainingNanoEur: 15n * EUR,
};

test('goes on as the last days went, to the end of the period', () => {
  // It is midnight of the 16th: the window has six days, its seventh begins just now.
  expect(forecast(INPUT)).toEqual({
    runRateNanoEurPerDay: EUR,
    expectedTotalNanoEur: 25n * EUR,
    runsOutOn: null,
  });
});

test('names the day, in the tenant’s own time zone, on which the budget runs out', () => {
  const sixLeft = { ...INPUT, remainingNanoEur: (5n * EUR) / 2n };
  expect(forecast(sixLeft).runsOutOn).toBe('2026-11-18');
  // The same instant is still the 18th in Lisbon at 11 a.m., and the 19th on Kiritimati.
  expect(
    forecast({ ...sixLeft, timeZone: 'Pacific/Kiritimati', since: new Date('2026-11-09T23:00:00Z') }).runsOutOn,
  ).toBe('2026-11-19');
});

test('a budget that is spent runs out today, whatever the rate', () => {
  expect(forecast({ ...INPUT, remainingNanoEur: 0n, windowSpentNanoEur: 0n }).runsOutOn).toBe('2026-11-16');
  expect(forecast({ ...INPUT, remainingNanoEur: -1n }).runsOutOn).toBe('2026-11-16');
});

test('who spends nothing is expected to spend no more', () => {
  expect(forecast({ ...INPUT, windowSpentNanoEur: 0n })).toEqual({
    runRateNanoEurPerDay: 0n,
    expectedTotalNanoEur: 10n * EUR,
    runsOutOn: null,
  });
});

describe('the first day of a month', () => {
  const firstHour = {
    ...INPUT,
    now: new Date('2026-11-30T23:30:00Z'),
    periodEndsAt: new Date('2026-12-31T23:00:00Z'),
    spentNanoEur: EUR,
  };

  test('goes by the week before, not by its first half hour', () => {
    const seven = forecast({ ...firstHour, windowSpentNanoEur: 7n * EUR });
    // Six days and half an hour.
    expect(seven.runRateNanoEurPerDay).toBe((7n * EUR * 48n) / 289n);
    expect(seven.expectedTotalNanoEur).toBeLessThan(38n * EUR);
  });

  test('of a tenant that is half an hour old counts as a whole day', () => {
    const fresh = forecast({ ...firstHour, since: new Date('2026-11-30T23:00:00Z'), windowSpentNanoEur: EUR });
    expect(fresh.runRateNanoEurPerDay).toBe(EUR);
  });
});

describe('summer time', () => {
  test('a week with a day of 25 hours is an hour longer', () => {
    // Clocks went back in the night of 25 October 2026.
    const now = new Date('2026-10-30T23:00:00Z');
    expect(windowStart(now, 'Europe/Berlin').toISOString()).toBe('2026-10-24T22:00:00.000Z');
    const input = { ...INPUT, now, periodEndsAt: new Date('2026-10-31T23:00:00Z'), windowSpentNanoEur: 145n * EUR };
    expect(forecast(input).runRateNanoEurPerDay).toBe(24n * EUR);
  });

  test('a week with a day of 23 hours is an hour shorter', () => {
    const now = new Date('2026-03-31T22:00:00Z');
    expect(windowStart(now, 'Europe/Berlin').toISOString()).toBe('2026-03-25T23:00:00.000Z');
    const input = { ...INPUT, now, periodEndsAt: new Date('2026-04-30T22:00:00Z'), windowSpentNanoEur: 143n * EUR };
    expect(forecast(input).runRateNanoEurPerDay).toBe(24n * EUR);
  });

  test('a midnight that is skipped begins its day an hour later', () => {
    // Cuba goes from 0:00 to 1:00 on the second Sunday of March.
    expect(windowStart(new Date('2026-03-14T12:00:00Z'), 'America/Havana').toISOString()).toBe(
      '2026-03-08T05:00:00.000Z',
    );
  });
});

test('never counts with floats: amounts beyond 2^53 come out to the unit', () => {
  const huge = { ...INPUT, spentNanoEur: 9_007_199_254_740_993n, windowSpentNanoEur: 6n };
  expect(forecast(huge).expectedTotalNanoEur).toBe(9_007_199_254_741_008n);
});
