import { expect, test } from 'vitest';
import { planTokenKeys } from './token-key-plan.ts';

const NOW = new Date('2026-11-30T12:00:00Z');
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

/** Keys named a, b, c … of these ages in minutes. */
function aged(...minutes: number[]) {
  return minutes.map((age, place) => ({
    kid: String.fromCharCode(97 + place),
    createdAt: new Date(NOW.getTime() - age * MINUTE_MS),
  }));
}

test('without a key the first is made, and it signs at once', () => {
  expect(planTokenKeys([], NOW)).toEqual({ signs: undefined, published: [], makeNext: true });
  expect(planTokenKeys(aged(0), NOW)).toEqual({ signs: 'a', published: ['a'], makeNext: false });
});

test('after thirty days the next key is made; it is published for an hour before it signs', () => {
  expect(planTokenKeys(aged(30 * DAY_MINUTES), NOW)).toEqual({ signs: 'a', published: ['a'], makeNext: true });
  const old = 30 * DAY_MINUTES;
  expect(planTokenKeys(aged(old + 59, 59), NOW)).toEqual({ signs: 'a', published: ['a', 'b'], makeNext: false });
  expect(planTokenKeys(aged(old + 60, 60), NOW)).toEqual({ signs: 'b', published: ['a', 'b'], makeNext: false });
});

test('a key is published for as long as a token it has signed may live', () => {
  const old = 30 * DAY_MINUTES;
  expect(planTokenKeys(aged(old, 79), NOW).published).toEqual(['a', 'b']);
  expect(planTokenKeys(aged(old, 81), NOW).published).toEqual(['b']);
});

test('a platform that slept for months still signs with what verifiers know', () => {
  expect(planTokenKeys(aged(200 * DAY_MINUTES), NOW)).toEqual({ signs: 'a', published: ['a'], makeNext: true });
  expect(planTokenKeys(aged(200 * DAY_MINUTES, 1), NOW)).toMatchObject({ signs: 'a', published: ['a', 'b'] });
});
