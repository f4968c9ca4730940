import { describe, expect, it } from 'vitest';
import { sameQuantity } from './quantity.ts';

describe('quantities', () => {
  it.each([
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1k'],
    ['1E3', '1000'],
    ['2', 2],
    ['.5', '500m'],
    ['1000000n', '1m'],
    ['-1', '-1000m'],
    ['1E', '1000P'],
  ])('%s is the same as %s', (one, other) => {
    expect(sameQuantity(one, other)).toBe(true);
  });

  it.each([
    ['1', '1m'],
    ['1Gi', '1G'],
    ['1', '-1'],
    ['', ''],
    ['one', 'one'],
    ['1', undefined],
    ['1e99', '1e99'],
    ['1Zi', '1Zi'],
  ])('%s is not the same quantity as %s', (one, other) => {
    expect(sameQuantity(one, other)).toBe(false);
  });
});
