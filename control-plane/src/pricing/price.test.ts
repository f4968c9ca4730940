import { expect, test } from 'vitest';
import { formatEuro } from './money.ts';
import { decimalToInteger, ModelPrices, unitPrices } from './price.ts';
import { formatUsdPerEur, usdPerEurMicro } from './rate.ts';

test('prices in USD per million tokens become whole pico-USD per token', () => {
  expect(unitPrices({ inputUsdPerMillion: '0.000001', outputUsdPerMillion: '75', imageUsd: '0.04' })).toEqual({
    input: 1n,
    cachedInput: 1n,
    cacheWrite: 1n,
    audioInput: 1n,
    output: 75_000_000n,
    audioOutput: 75_000_000n,
    image: 40_000_000_000n,
  });
});

test.each(['-1', '', '1e-3', '0,15', '.5', '01', 'NaN', '0.0000001', '99999999'])('"%s" is no price', (text) => {
  expect(ModelPrices.safeParse({ inputUsdPerMillion: text, outputUsdPerMillion: '1' }).success).toBe(false);
});

test('a decimal with more places than there are is refused, never rounded', () => {
  expect(decimalToInteger('1.25', 2)).toBe(125n);
  expect(() => decimalToInteger('1.255', 2)).toThrow(RangeError);
});

test('rates are read and written without loss', () => {
  expect(usdPerEurMicro('1.159')).toBe(1_159_000n);
  expect(formatUsdPerEur(1_159_000n)).toBe('1.159000');
  expect(formatUsdPerEur(7n)).toBe('0.000007');
});

test('euro are shown in the reader’s language, rounded down to cents', () => {
  expect(formatEuro(419_999_999n, 'de')).toBe('0,41\u00a0€');
  expect(formatEuro(1_234_560_000_000n, 'en')).toBe('€1,234.56');
});
