import { expect, test } from 'vitest';
import { foreignManagerOf } from './held-fields.ts';

const fields = [
  { path: 'displayName', holders: [{ manager: 'cloudfreedom-portal' }] },
  { path: 'plan', holders: [{ manager: 'cloudfreedom-portal' }, { manager: 'argocd' }] },
  { path: 'budget.monthlyEur', holders: [{ manager: 'kubectl' }] },
];

test.each([
  ['displayName', undefined],
  ['timeZone', undefined],
  ['plan', 'argocd'],
  ['budget.monthlyEur', 'kubectl'],
])('%s is held elsewhere by %s', (path, manager) => {
  expect(foreignManagerOf(fields, path)).toBe(manager);
});
