import { expect, it } from 'vitest';
import { parseLabelSelector } from './label-selector.ts';

const LABELS = { app: 'web', 'example.org/tier': 'front' };

it.each([
  ['', true],
  ['app=web', true],
  ['app==web,example.org/tier=front', true],
  ['app!=web', false],
  ['other!=web', true],
  ['app', true],
  ['!app', false],
  ['!other', true],
  ['app in (api, web)', true],
  ['app notin (api)', true],
  ['other notin (api)', true],
  ['other in (api)', false],
])('%s selects %s', (selector, expected) => {
  expect(parseLabelSelector(selector)(LABELS)).toBe(expected);
});

it('refuses what it cannot read', () => {
  expect(() => parseLabelSelector('app > 3')).toThrow('not a label selector');
});
