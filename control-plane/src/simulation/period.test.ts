import { expect, test } from 'vitest';
import { monthEnd, monthOf } from './period.ts';

test.each([
  ['Europe/Berlin', '2026-10', '2026-10-31T23:00:00.000Z'],
  ['Europe/Berlin', '2027-03', '2027-03-31T22:00:00.000Z'],
  // Midnight comes twice, and the first one counts.
  ['America/Havana', '2026-10', '2026-11-01T04:00:00.000Z'],
  // Midnight does not come at all: October begins at one o'clock.
  ['America/Asuncion', '2023-09', '2023-10-01T04:00:00.000Z'],
  ['Pacific/Kiritimati', '2028-02', '2028-02-29T10:00:00.000Z'],
])('in %s the month %s ends at %s', (timeZone, month, end) => {
  const endMs = monthEnd(month, timeZone);
  expect(new Date(endMs).toISOString()).toBe(end);
  expect(monthOf(endMs - 1, timeZone)).toBe(month);
  expect(monthOf(endMs, timeZone) > month).toBe(true);
});
