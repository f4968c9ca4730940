import { HttpProblem } from '../../http/problem.ts';
import { type DateRange, dateRange } from '../../usage/date-range.ts';

/** The span that was asked for. @throws HttpProblem 422 */
export function readRange(
  query: { from?: string | undefined; to?: string | undefined },
  now: Date,
  timeZone: string,
): DateRange {
  const range = dateRange(query, now, timeZone);
  if (!('fault' in range)) return range;
  throw new HttpProblem(422, 'invalid_input', `from: ${range.fault}`, {
    errors: [{ path: 'from', message: range.fault }],
  });
}
