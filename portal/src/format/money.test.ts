import { describe, expect, test } from 'vitest';
import { formatEuro, formatEuroText, percentOf } from './money.ts';

/** Intl puts narrow and non-breaking spaces between number and sign. */
const plain = (text: string) => text.replaceAll(/\s/g, ' ');

describe('an amount in nano-euro', () => {
  test.each([
    ['0', 'de', '0,00 €'],
    ['9990000000', 'de', '9,99 €'],
    ['9990000000', 'en', '€9.99'],
    ['25000000000', 'de', '25,00 €'],
    ['1234567890000000', 'de', '1.234.567,89 €'],
    ['-5000000000', 'de', '-5,00 €'],
    // half a cent rounds up
    ['15000000', 'de', '0,02 €'],
    ['14999999', 'de', '0,01 €'],
    // below a cent it does not read as nothing
    ['636756', 'de', '0,000637 €'],
    ['1499', 'en', '€0.000001'],
    ['9223372036854775807', 'en', '€9,223,372,036.85'],
  ])('%s reads in %s as %s', (amount, language, text) => {
    expect(plain(formatEuro(amount, language))).toBe(text);
  });
});

test("a plan's price keeps its cents", () => {
  expect(plain(formatEuroText('29.99', 'de'))).toBe('29,99 €');
  expect(plain(formatEuroText('25', 'en'))).toBe('€25.00');
});

test.each([
  [0n, 100n, 0],
  [1n, 3n, 33.3],
  [150n, 100n, 100],
  [5n, 0n, 0],
  [-5n, 100n, 0],
])('%d of %d is %d percent', (part, whole, percent) => {
  expect(percentOf(part, whole)).toBe(percent);
});
