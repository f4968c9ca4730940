import { expect, test } from 'vitest';
import { formatDayAfter, formatDistance } from './dates.ts';

const now = new Date('2026-11-30T12:00:00Z');

test.each([
  ['2026-11-30T11:59:40Z', 'de', 'jetzt'],
  ['2026-11-30T11:57:00Z', 'de', 'vor 3 Minuten'],
  ['2026-11-30T10:00:00Z', 'en', '2 hours ago'],
  ['2026-11-29T11:00:00Z', 'de', 'gestern'],
  ['2026-12-02T12:30:00Z', 'en', 'in 2 days'],
  ['2026-11-20T12:00:00Z', 'de', '20. November 2026'],
])('%s reads in %s as "%s"', (moment, language, text) => {
  expect(formatDistance(moment, language, now)).toBe(text);
});

test.each([
  ['2026-11', 'en', 'December 1, 2026'],
  ['2026-12', 'de', '1. Januar 2027'],
])('after %s, in %s, comes %s', (period, language, day) => {
  expect(formatDayAfter(period, language)).toBe(day);
});
