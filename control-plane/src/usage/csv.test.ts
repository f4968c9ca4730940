import { expect, test } from 'vitest';
import { csvRecord } from './csv.ts';

test('fields are separated by commas, records end with CRLF, what is absent is empty', () => {
  expect(csvRecord(['a', 1, true, null, ''])).toBe('a,1,true,,\r\n');
});

test.each([
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\nlines', '"two\nlines"'],
  ['Müller & Söhne', 'Müller & Söhne'],
])('%j is written as %j', (value, written) => {
  expect(csvRecord([value])).toBe(`${written}\r\n`);
});

test.each(['=HYPERLINK("https://evil.example","x")', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '\n=1'])(
  '%j is no formula any more',
  (value) => {
    const field = csvRecord([value]).slice(0, -2).replace(/^"/, '');
    expect(field.startsWith("'")).toBe(true);
  },
);
