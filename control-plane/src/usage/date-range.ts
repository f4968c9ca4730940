import { z } from 'zod';
import { addDays, dayOf, startOfDay } from './local-day.ts';

/** Days one query may span: a year and a leap day. */
const MAX_DAYS = 366;

/** Days in the tenant's time zone, both included. Absent: from the first of this month, to today. */
export const DateRangeFields = {
  from: z.iso
    .date()
    .optional()
    .meta({ description: 'First day, in the tenant’s time zone; absent: the first of the month' }),
  to: z.iso.date().optional().meta({ description: 'Last day, included; absent: today' }),
};

export type DateRange = { readonly from: string; readonly to: string; readonly starts: Date; readonly ends: Date };

/** @returns the range, or what is wrong with it */
export function dateRange(
  asked: { from?: string | undefined; to?: string | undefined },
  now: Date,
  timeZone: string,
): DateRange | { readonly fault: string } {
  const today = dayOf(now, timeZone);
  const to = asked.to ?? today;
  const from = asked.from ?? `${(asked.to ?? today).slice(0, 7)}-01`;
  if (from > to) return { fault: 'must not be after to' };
  if (addDays(from, MAX_DAYS) <= to) return { fault: `must be at most ${MAX_DAYS} days before to` };
  return { from, to, starts: startOfDay(from, timeZone), ends: startOfDay(addDays(to, 1), timeZone) };
}
