import { expect, test } from 'vitest';
import { payloadHash } from './payload-hash.ts';

test('the order of keys and absent fields do not matter, values do', () => {
  const hash = payloadHash({ a: 1, b: { c: [1, 2], d: null } });
  expect(payloadHash({ b: { d: null, c: [1, 2], e: undefined }, a: 1 })).toEqual(hash);
  expect(payloadHash({ a: 1, b: { c: [2, 1], d: null } })).not.toEqual(hash);
  expect(payloadHash({ a: '1', b: { c: [1, 2], d: null } })).not.toEqual(hash);
});
