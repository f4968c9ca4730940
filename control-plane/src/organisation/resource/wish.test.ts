import { describe, expect, test } from 'vitest';
import { changedWish, changeOf, conflictsOf } from './wish.ts';

const portal = 'cloudfreedom-portal';

function live(spec: object, ...entries: { manager: string; operation?: string; fields: object }[]) {
  const managedFields = entries.map(({ manager, operation = 'Apply', fields }) => ({
    manager,
    operation,
    time: '2026-11-20T10:00:00Z',
    fieldsV1: { 'f:spec': fields },
  }));
  return { metadata: { name: 'acme', managedFields }, spec };
}

test('a change in a body is a change by field; null takes a field back, lists are values', () => {
  expect([...changeOf({ plan: 'pro', budget: { keyMonthlyEur: null }, models: ['a'], hostname: undefined })]).toEqual([
    ['plan', 'pro'],
    ['budget.keyMonthlyEur', null],
    ['models', ['a']],
  ]);
});

describe('what is applied', () => {
  test('is what we stated before with the change, for what is not stated any more is taken away', () => {
    const tenant = live(
      { displayName: 'Acme', plan: 'starter', branding: { title: 'A' } },
      { manager: portal, fields: { 'f:displayName': {}, 'f:branding': { 'f:title': {} } } },
      { manager: 'argocd', fields: { 'f:plan': {} } },
    );
    const wish = changedWish(
      tenant,
      new Map<string, unknown>([
        ['branding.title', null],
        ['language', 'en'],
      ]),
    );
    expect(wish.stated).toEqual({ displayName: 'Acme', language: 'en' });
    expect(wish.spec).toEqual({ displayName: 'Acme', plan: 'starter', language: 'en' });
    expect(wish.claim).toBeUndefined();
  });

  test('takes hold of the items of a set that are nobody’s before it lets go of them', () => {
    const tenant = live({ budget: { alertThresholdsPercent: [50, 80, 100] } });
    const wish = changedWish(tenant, new Map([['budget.alertThresholdsPercent', [90]]]));
    expect(wish.claim).toEqual({ budget: { alertThresholdsPercent: [50, 80, 100] } });
    expect(wish.stated).toEqual({ budget: { alertThresholdsPercent: [90] } });
  });
});

describe('a field that somebody else holds is a conflict', () => {
  const tenant = live(
    { plan: 'starter', owners: ['ada@example.org'], displayName: 'Acme' },
    { manager: portal, fields: { 'f:displayName': {}, 'f:owners': { 'v:"ada@example.org"': {} } } },
    { manager: 'argocd', fields: { 'f:plan': {}, 'f:owners': { 'v:"bob@example.org"': {} } } },
    { manager: portal, operation: 'Update', fields: { 'f:language': {} } },
  );
  test.each([
    ['plan', 'argocd'],
    ['owners', 'argocd'],
    // Not by server-side apply: then it would not be in what we send again.
    ['language', portal],
  ])('%s is held by %s', (field, manager) => {
    expect(conflictsOf(tenant, new Map([[field, 'x']]))).toEqual([{ field, manager, since: '2026-11-20T10:00:00Z' }]);
  });
  test.each(['displayName', 'timeZone'])('%s is ours, or nobody’s', (field) => {
    expect(conflictsOf(tenant, new Map([[field, 'x']]))).toEqual([]);
  });
});
