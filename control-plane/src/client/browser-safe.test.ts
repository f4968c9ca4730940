import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** Packages a browser may load with the client. */
const ALLOWED = ['openapi-fetch'];

/** Everything `file` imports, and what those import, as it is written there. */
function importsOf(file: string, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file)) return seen;
  const found = [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].map(([, name]) => name ?? '');
  seen.set(file, found);
  for (const name of found.filter((given) => given.startsWith('.'))) importsOf(join(dirname(file), name), seen);
  return seen;
}

test.each(['client.ts', 'events.ts', 'patient-fetch.ts'])('%s loads in a browser: no Node, no server code', (name) => {
  const imports = importsOf(join(import.meta.dirname, name));
  for (const file of imports.keys()) expect(dirname(file)).toBe(import.meta.dirname);
  const packages = [...imports.values()].flat().filter((given) => !given.startsWith('.'));
  expect(packages.filter((given) => !ALLOWED.includes(given))).toEqual([]);
});
