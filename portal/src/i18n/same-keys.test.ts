import { expect, test } from 'vitest';
import { de } from './de.ts';
import { en } from './en.ts';

type Texts = { readonly [key: string]: string | Texts };

function entries(texts: Texts, at = ''): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'string' ? [[at + key, value] as [string, string]] : entries(value, `${at}${key}.`),
  );
}
const german = new Map(entries(de));
const english = new Map(entries(en));
const places = (text: string | undefined) =>
  [...(text ?? '').matchAll(/\{\{(\w+)\}\}|<(\w+)>/g)].map(([all]) => all).sort();

test('German and English have the same keys', () => {
  expect([...english.keys()].sort()).toEqual([...german.keys()].sort());
});

test('no text is empty', () => {
  expect([...german, ...english].filter(([, text]) => text.trim() === '')).toEqual([]);
});

test('both name the same values and links in each text', () => {
  const different = [...german.keys()].filter(
    (key) => places(german.get(key)).join() !== places(english.get(key)).join(),
  );
  expect(different).toEqual([]);
});
