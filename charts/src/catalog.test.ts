import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { apiVersion } from '../../crds/src/common.ts';
import { parseModel } from '../../crds/src/model.ts';
import { problemsText } from '../../crds/src/parse.ts';
import { parsePlan } from '../../crds/src/plan.ts';
import { parseTenant } from '../../crds/src/tenant.ts';
import { driftedFiles } from './generate.ts';
import { Values } from './values.ts';

const root = path.resolve(import.meta.dirname, '../..');
const values = Values.parse(parse(readFileSync(path.join(root, 'charts/platform/values.yaml'), 'utf8')));
const { plans, models, providers } = values.catalog;

test.each(Object.keys(models))('the shipped Model %s keeps every rule', (name) => {
  const { provider, model = name, ...spec } = models[name as keyof typeof models] ?? ({} as never);
  const { residency, apiKeySecret } = providers[provider];
  const deployments = [{ name: provider, provider, model, residency, apiKeySecret }];
  const parsed = parseModel({ apiVersion, kind: 'Model', metadata: { name }, spec: { ...spec, deployments } });
  expect(parsed.ok ? '' : problemsText(parsed.problems)).toBe('');
  if (spec.replacedBy !== undefined) expect(Object.keys(models)).toContain(spec.replacedBy);
  for (const fallback of spec.fallbacks) expect(Object.keys(models)).toContain(fallback);
});

test('values.schema.json and the README’s table are what the source makes', () => {
  expect(driftedFiles()).toEqual([]);
});

test('the eight models of the offer are there, and what their providers retired has a successor', () => {
  const retired = [
    'gpt-4-turbo',
    'claude-3-5-sonnet',
    'claude-3-5-haiku',
    'claude-3-opus',
    'gemini-2.0-flash',
    'gemini-1.5-pro',
  ];
  for (const name of ['gpt-4o', 'gpt-4o-mini', ...retired]) expect(Object.keys(models)).toContain(name);
  for (const name of retired) expect(models[name as keyof typeof models]?.replacedBy).toBeDefined();
});

test('the plans cost and grant what the offer says', () => {
  const offer = Object.entries(plans).map(
    ([name, { pricePerMonthEur, monthlyBudgetEur, maxMembers, modelClasses }]) => [
      name,
      pricePerMonthEur,
      monthlyBudgetEur,
      maxMembers,
      modelClasses.join(),
    ],
  );
  expect(offer).toEqual([
    ['starter', '9.99', '25.00', 1, 'mini'],
    ['professional', '29.99', '100.00', 5, 'mini,full'],
    ['enterprise', undefined, undefined, undefined, 'mini,full,custom'],
  ]);
  for (const [name, spec] of Object.entries(plans)) {
    expect(parsePlan({ apiVersion, kind: 'Plan', metadata: { name }, spec }).ok).toBe(true);
  }
});

test.each(readdirSync(path.join(root, 'examples')))('examples/%s can be applied to the shipped catalogue', (file) => {
  const parsed = parseTenant(parse(readFileSync(path.join(root, 'examples', file), 'utf8')));
  if (!parsed.ok) throw new Error(problemsText(parsed.problems));
  const { spec } = parsed.value;
  const plan = plans[spec.plan];
  expect(plan).toBeDefined();
  expect(spec.budget.monthlyEur ?? plan?.monthlyBudgetEur).toBeDefined();
  for (const model of spec.models ?? []) expect(plan?.modelClasses).toContain(models[model]?.class);
});
