import { expect, test } from 'vitest';
import { keyExpiry } from './key-expiry.ts';

const NOW = new Date('2026-11-30T12:00:00Z');

test('a key lives for a year unless its maker says otherwise', () => {
  expect(keyExpiry(undefined, NOW)).toEqual({ expiresAt: new Date('2027-11-30T12:00:00Z') });
  expect(keyExpiry('2026-12-01T00:00:00Z', NOW)).toEqual({ expiresAt: new Date('2026-12-01T00:00:00Z') });
});

test('a key never lives longer than two years', () => {
  expect(keyExpiry('2028-11-29T12:00:00Z', NOW)).toHaveProperty('expiresAt');
  expect(keyExpiry('2028-11-29T12:00:01Z', NOW)).toMatchObject({ fault: expect.stringContaining('730 days') });
});

test('a key that has expired already is not made', () => {
  expect(keyExpiry('2026-11-30T12:00:00Z', NOW)).toEqual({ fault: 'lies in the past' });
});
