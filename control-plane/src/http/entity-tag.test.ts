import { describe, expect, test } from 'vitest';
import { entityTag, isKnown, isSame } from './entity-tag.ts';

const TAG = entityTag('{"a":1}');

test('equal representations have equal tags, others have others, and they are strong', () => {
  expect(entityTag('{"a":1}')).toBe(TAG);
  expect(entityTag('{"a":2}')).not.toBe(TAG);
  expect(TAG).toMatch(/^"[\w-]{27}"$/);
});

describe.each([
  ['the tag itself', TAG, true, true],
  ['any', '*', true, true],
  ['one of several', `"x", ${TAG} ,"y"`, true, true],
  ['a weak one', `W/${TAG}`, true, false],
  ['another', '"x"', false, false],
  ['no tag at all', 'nonsense', false, false],
  ['one without quotes', TAG.replaceAll('"', ''), false, false],
  ['an empty header', '', false, false],
  ['the twenty-first', `${'"x",'.repeat(20)}${TAG}`, false, false],
])('%s', (_name, header, known, same) => {
  test('in If-None-Match', () => expect(isKnown(header, TAG)).toBe(known));
  test('in If-Match', () => expect(isSame(header, TAG)).toBe(same));
});
