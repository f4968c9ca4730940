import { expect, test } from 'vitest';
import { heldFields, statedBy } from './held-fields.ts';

const portal = { manager: 'cloudfreedom-portal', operation: 'Apply', time: '2026-11-20T10:00:00Z' };
const git = { manager: 'argocd-controller', operation: 'Apply', time: '2026-11-21T10:00:00Z' };

const tenant = {
  metadata: {
    name: 'acme',
    managedFields: [
      {
        ...portal,
        fieldsV1: {
          'f:spec': {
            'f:displayName': {},
            'f:owners': { '.': {}, 'v:"ada@example.org"': {} },
            'f:budget': { 'f:alertThresholdsPercent': { '.': {}, 'v:50': {}, 'v:90': {} }, 'f:keyMonthlyEur': {} },
          },
        },
      },
      {
        ...git,
        fieldsV1: {
          'f:spec': { 'f:plan': {}, 'f:owners': { 'v:"bob@example.org"': {} } },
          'f:metadata': { 'f:labels': {} },
        },
      },
      { ...git, subresource: 'status', fieldsV1: { 'f:spec': { 'f:language': {} }, 'f:status': { 'f:url': {} } } },
    ],
  },
  spec: {
    displayName: 'Acme',
    plan: 'starter',
    language: 'de',
    owners: ['ada@example.org', 'bob@example.org'],
    budget: { alertThresholdsPercent: [50, 80, 90], keyMonthlyEur: '5' },
  },
};

test('names each field that somebody holds, with all who do, and nothing else', () => {
  const [since, sinceGit] = [portal.time, git.time];
  expect(heldFields(tenant).map(({ path, holders }) => [path, holders.map(({ manager }) => manager)])).toEqual([
    ['budget.alertThresholdsPercent', [portal.manager]],
    ['budget.keyMonthlyEur', [portal.manager]],
    ['displayName', [portal.manager]],
    ['owners', [portal.manager, git.manager]],
    ['plan', [git.manager]],
  ]);
  expect(heldFields(tenant).at(-1)?.holders).toEqual([{ manager: git.manager, operation: 'Apply', since: sinceGit }]);
  expect(heldFields(tenant)[0]?.holders[0]?.since).toBe(since);
});

test('what a manager states is its fields with their values, and of a set its own items only', () => {
  expect(statedBy(tenant, portal.manager)).toEqual({
    displayName: 'Acme',
    owners: ['ada@example.org'],
    budget: { alertThresholdsPercent: [50, 90], keyMonthlyEur: '5' },
  });
  expect(statedBy(tenant, 'kubectl')).toEqual({});
});

test('an object that nobody applied holds nothing, and one that tells nonsense is a bug', () => {
  expect(heldFields({ metadata: { name: 'new' }, spec: { plan: 'x' } })).toEqual([]);
  expect(() => heldFields({ metadata: { managedFields: [{ fieldsV1: { 'f:spec': 'text' } }] } })).toThrow(/unexpected/);
});
