const MONTH_MS = 31 * 86_400_000;
/** No calendar month is longer than this, and no zone moves its clocks by more. */
const LONGEST_MONTH_MS = MONTH_MS + 2 * 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();
const ends = new Map<string, number>();

/** The month, 'YYYY-MM', that the calendar on the wall shows. JavaScript's own calendar, not the database's. */
export function monthOf(atMs: number, timeZone: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit' });
    formats.set(timeZone, format);
  }
  const parts = format.formatToParts(atMs);
  const part = (type: 'year' | 'month') => parts.find((found) => found.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}`;
}

/** The first instant whose month is later than `month`. */
export function monthEnd(month: string, timeZone: string): number {
  const key = `${month} ${timeZone}`;
  const known = ends.get(key);
  if (known !== undefined) return known;
  let within = Date.parse(`${month}-15T00:00:00Z`);
  let beyond = within + LONGEST_MONTH_MS;
  while (beyond - within > 1) {
    const middle = Math.floor((within + beyond) / 2);
    if (monthOf(middle, timeZone) > month) beyond = middle;
    else within = middle;
  }
  ends.set(key, beyond);
  return beyond;
}
