import { expect, test } from 'vitest';
import { apiVersion } from './common.ts';
import { isZero } from './money.ts';
import { problemsText } from './parse.ts';
import { milli, notAbove } from './quantity.ts';
import { parseTenant, readTenant } from './tenant.ts';
import { isTimeZone } from './time-zone.ts';

const tenant = (spec: object) => ({
  apiVersion,
  kind: 'Tenant',
  metadata: { name: 'demo', labels: { team: 'a' }, managedFields: [{}] },
  spec: { displayName: 'Demo', plan: 'starter', owners: ['ada@demo.example'], ...spec },
});

test('parsing fills in every default, nested ones too', () => {
  const parsed = parseTenant(tenant({ backup: { keep: 3 }, budget: null }));
  expect(parsed.ok && parsed.value.spec).toMatchObject({
    language: 'de',
    budget: { alertThresholdsPercent: [50, 80, 100] },
    storage: { postgresSize: '2Gi' },
    backup: { enabled: true, schedule: '17 3 * * *', keep: 3 },
    deletionPolicy: 'Retain',
  });
});

test('metadata is carried along untouched', () => {
  const parsed = parseTenant(tenant({}));
  expect(parsed.ok && parsed.value.metadata).toEqual(tenant({}).metadata);
});

test('an unknown field is refused from people and passed over from the API server', () => {
  const newer = tenant({ colour: 'blue' });
  expect(parseTenant(newer)).toEqual({
    ok: false,
    problems: [{ path: 'spec.colour', message: 'unknown field "spec.colour"' }],
  });
  const read = readTenant(newer);
  expect(read.ok && read.value.spec).not.toHaveProperty('colour');
});

test.each([null, undefined, 5, 'text', [], {}])('%j is no Tenant and no crash', (value) => {
  expect(parseTenant(value).ok).toBe(false);
});

test('all problems are told at once, each with its path', () => {
  const parsed = parseTenant(tenant({ plan: undefined, owners: ['x'], budget: { monthlyEur: '1,5' } }));
  expect(parsed.ok ? '' : problemsText(parsed.problems)).toBe(
    'spec.plan: is required; spec.owners[0]: must be an e-mail address such as "ada@example.org"; ' +
      'spec.budget.monthlyEur: must be an amount in euro such as "25.00": digits, at most two decimals, in quotes',
  );
});

test('quantities compare across units', () => {
  expect(milli('1')).toBe(milli('1000m'));
  expect(milli('1Gi')).toBe(milli('1024Mi'));
  expect(milli('1GB')).toBeUndefined();
  expect(notAbove('1025Mi', '1Gi')).toBe(false);
  expect(notAbove(undefined, '1Gi')).toBe(true);
});

test('time zones are the exact IANA names', () => {
  for (const zone of ['Europe/Berlin', 'UTC', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires']) {
    expect([zone, isTimeZone(zone)]).toEqual([zone, true]);
  }
  for (const zone of ['europe/berlin', 'Europe/BERLIN', 'EST', 'Local', '+01:00', 'Mars/Base', '']) {
    expect([zone, isTimeZone(zone)]).toEqual([zone, false]);
  }
});

test('zero is zero however it is written', () => {
  expect(['0', '0.00', '0.01', '10'].map(isZero)).toEqual([true, true, false, false]);
});
