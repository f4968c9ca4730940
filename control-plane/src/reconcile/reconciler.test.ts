import { expect, test } from 'vitest';
import { dueNight } from './reconciler.ts';

test.each([
  ['2026-11-20T01:59:59Z', undefined],
  ['2026-11-20T02:00:00Z', '2026-11-20'],
  ['2026-11-20T23:59:59Z', '2026-11-20'],
])('at %s the comparison of %s is due', (at, night) => expect(dueNight(new Date(at))).toBe(night));
