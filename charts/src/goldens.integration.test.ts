import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { platformChart, template } from './testing/helm.ts';

const folder = path.join(platformChart, 'testdata');
const cases = readdirSync(folder).sort();

/** Generated keys differ in every rendering. */
function withoutKeys(text: string): string {
  return text.replace(/^( {2}(?:admin|operator|encryption)-key: )[A-Za-z0-9+/=]{40,}$/gm, '$1<generated>');
}

test.each(cases)('the platform chart renders %s as its golden shows', async (name) => {
  const values = path.join(folder, name, 'values.yaml');
  const golden = path.join(folder, name, 'golden.yaml');
  const rendered = withoutKeys(await template('--values', values, '--api-versions', 'monitoring.coreos.com/v1'));
  if (process.env.UPDATE_GOLDENS) writeFileSync(golden, rendered);
  expect(rendered).toBe(existsSync(golden) ? readFileSync(golden, 'utf8') : '');
});

test('every folder of testdata is a case', () => {
  expect(cases.filter((name) => !existsSync(path.join(folder, name, 'values.yaml')))).toEqual([]);
});

test.each([
  ['a missing base domain', [], 'baseDomain is missing'],
  [
    'a misspelt value',
    ['--set', 'baseDomain=a.example,operator.replica=2'],
    "additional properties 'replica' not allowed",
  ],
  ['a base domain with a scheme', ['--set', 'baseDomain=https://a.example'], '/baseDomain'],
  [
    'replicas with the embedded database',
    ['--set', 'baseDomain=a.example,controlPlane.replicas=2'],
    'needs controlPlane.database.existingSecret',
  ],
  [
    'two ways to certificates',
    ['--set', 'baseDomain=a.example,tls.clusterIssuer=a,tls.localCa.secretName=b'],
    'exclude each other',
  ],
  [
    'a price that is a number',
    ['--set', 'baseDomain=a.example', '--set-json', 'catalog.models.gpt-4o.prices.inputUsdPerMillion=2.5'],
    'inputUsdPerMillion',
  ],
  [
    'a model of an unknown provider',
    ['--set', 'baseDomain=a.example,catalog.models.gpt-4o.provider=azure'],
    '/catalog/models/gpt-4o/provider',
  ],
])('helm refuses %s and names it', async (_, args, message) => {
  await expect(template(...args)).rejects.toThrow(message);
});
