import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { de } from './src/i18n/de.ts';
import { en } from './src/i18n/en.ts';

const controlPlane = path.resolve(import.meta.dirname, '../control-plane/src');
/** Where the refusals of the operations that the pages call are written. */
const places = [
  ...['http', 'identity', 'organisation', 'keys', 'privacy'],
  ...['account', 'sign-in', 'organisation', 'keys', 'privacy', 'tenants', 'usage', 'plans', 'events'].map(
    (area) => `routes/${area}`,
  ),
];
/** Codes that no page of the portal can come to see, and why. */
const notForPages = new Set([
  // of the gateway and of the operator
  ...['parts_missing', 'request_unknown', 'credential_taken'],
  // of programs: the client sends well-formed requests to addresses that exist
  ...[
    'method_not_allowed',
    'malformed_json',
    'malformed_address',
    'not_json',
    'body_too_large',
    'body_timeout',
    'type_not_taken',
    'idempotency_key_required',
    'idempotency_key_malformed',
    'not_described',
  ],
]);

const CODE = /(?:problem|HttpProblem)\(\s*\d{3},\s*'([a-z_]+)'|\[\s*\d{3},\s*'([a-z_]+)'/g;

function codes(): string[] {
  const found = new Set<string>();
  for (const place of places) {
    for (const entry of readdirSync(path.join(controlPlane, place), { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.ts') || entry.endsWith('.test.ts')) continue;
      const text = readFileSync(path.join(controlPlane, place, entry), 'utf8');
      for (const [, one, other] of text.matchAll(CODE)) found.add(one ?? other ?? '');
    }
  }
  return [...found].filter((code) => !notForPages.has(code)).sort();
}

test('the API’s sources show their codes', () => {
  expect(codes().length).toBeGreaterThan(40);
});

test.each(codes())('%s has a sentence in both languages', (code) => {
  expect(Object.keys(de.problem)).toContain(code);
  expect(Object.keys(en.problem)).toContain(code);
});
