import { addDays, dayOf, startOfDay } from './local-day.ts';

/** Days, today's beginning included, that the run rate looks back. Whole weeks: every weekday counts once. */
export const RUN_RATE_DAYS = 7;
/** The rate is taken over at least this long: an hour's use says little about a day. */
const MIN_WINDOW_MS = 86_400_000n;
const DAY_MS = 86_400_000n;

export type ForecastInput = {
  readonly now: Date;
  readonly timeZone: string;
  readonly periodEndsAt: Date;
  /** Since when the tenant could spend at all. */
  readonly since: Date;
  /** Spent in the period so far. */
  readonly spentNanoEur: bigint;
  /** Spent since `windowStart`, which may lie in the period before. */
  readonly windowSpentNanoEur: bigint;
  /** Granted for the period and not yet spent. */
  readonly remainingNanoEur: bigint;
};

export type Forecast = {
  readonly runRateNanoEurPerDay: bigint;
  readonly expectedTotalNanoEur: bigint;
  /** The day, in the tenant's time zone, on which nothing will be left; null when that is not within the period. */
  readonly runsOutOn: string | null;
};

/** When the window of the run rate begins: midnight, in the tenant's time zone, six days before today. */
export function windowStart(now: Date, timeZone: string): Date {
  return startOfDay(addDays(dayOf(now, timeZone), 1 - RUN_RATE_DAYS), timeZone);
}

/**
 * Goes on as the last seven days went, across the end of a month:
 *
 *   run rate       = spent in the window / length of the window
 *   window         = from midnight six days ago, or since the tenant exists, until now; at least 24 hours long
 *   expected total = spent in the period + run rate × time left in it
 *   runs out on    = the day of now + remaining / run rate, if that is before the period ends
 *
 * Lengths are elapsed time, so that a day of 23 or 25 hours counts as long as it is. Rounded down to the nano-euro.
 */
export function forecast(input: ForecastInput): Forecast {
  const now = input.now.getTime();
  const start = Math.max(windowStart(input.now, input.timeZone).getTime(), input.since.getTime());
  const elapsed = BigInt(now - start);
  const window = elapsed > MIN_WINDOW_MS ? elapsed : MIN_WINDOW_MS;
  const left = BigInt(Math.max(0, input.periodEndsAt.getTime() - now));
  const spent = input.windowSpentNanoEur;
  const runsOutAt = instantSpent(input, window);
  return {
    runRateNanoEurPerDay: (spent * DAY_MS) / window,
    expectedTotalNanoEur: input.spentNanoEur + (spent * left) / window,
    runsOutOn: runsOutAt === undefined ? null : dayOf(runsOutAt, input.timeZone),
  };
}

function instantSpent(input: ForecastInput, window: bigint): Date | undefined {
  if (input.remainingNanoEur <= 0n) return input.now;
  if (input.windowSpentNanoEur <= 0n) return undefined;
  const lasts = (input.remainingNanoEur * window) / input.windowSpentNanoEur;
  const left = BigInt(input.periodEndsAt.getTime() - input.now.getTime());
  return lasts < left ? new Date(input.now.getTime() + Number(lasts)) : undefined;
}
