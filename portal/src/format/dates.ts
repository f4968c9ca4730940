const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** Days for which "3 days ago" says more than a date. */
const RECENT_DAYS = 7;

/** A day, such as 1 December 2026. */
export function formatDay(moment: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(new Date(moment));
}

/** The first day after a period such as "2026-11": it is a day of the tenant's calendar, wherever the reader is. */
export function formatDayAfter(period: string, language: string): string {
  const [year = 0, month = 1] = period.split('-').map(Number);
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' });
  return format.format(new Date(Date.UTC(year, month, 1)));
}

/** A moment to the minute. */
export function formatMoment(moment: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment));
}

/** How long ago or ahead a moment is, in the reader's words; a date where it is more than a week. */
export function formatDistance(moment: string, language: string, now: Date): string {
  const seconds = Math.round((new Date(moment).getTime() - now.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size >= RECENT_DAYS * DAY_SECONDS) return formatDay(moment, language);
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (size < MINUTE_SECONDS) return words.format(0, 'second');
  if (size < HOUR_SECONDS) return words.format(Math.trunc(seconds / MINUTE_SECONDS), 'minute');
  if (size < DAY_SECONDS) return words.format(Math.trunc(seconds / HOUR_SECONDS), 'hour');
  return words.format(Math.trunc(seconds / DAY_SECONDS), 'day');
}
