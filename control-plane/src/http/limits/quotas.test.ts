import { describe, expect, test } from 'vitest';
import type { Principal } from '../auth.ts';
import { bucketsOf, countsInTenant, network } from './quotas.ts';

const person = { kind: 'person', person: { id: 'p1' } } as Principal;
const usual = { access: 'usage.read', limit: 'usual' } as const;

describe('a call counts', () => {
  test.each([
    ['anonymous', { kind: 'anonymous' } as Principal, usual, ['anonymous:10.0.0.1']],
    ['a person', person, usual, ['person:p1', 'address:10.0.0.1']],
    [
      'a person’s export',
      person,
      { ...usual, limit: 'expensive' } as const,
      ['person:p1', 'address:10.0.0.1', 'expensive:person:p1'],
    ],
    ['the admin', { kind: 'admin' } as Principal, usual, ['admin:admin']],
    ['the operator', { kind: 'operator' } as Principal, usual, []],
    ['a gateway', { kind: 'gateway' } as Principal, { access: 'gateway', limit: 'usual' } as const, []],
    ['who asks for health', { kind: 'anonymous' } as Principal, { access: 'public', limit: 'none' } as const, []],
    [
      'who tries a key at a gateway route',
      { kind: 'anonymous' } as Principal,
      { ...usual, access: 'gateway' } as const,
      [],
    ],
  ] as const)('of %s', (_who, principal, route, wanted) => {
    const buckets = bucketsOf(route, principal, '10.0.0.1');
    expect(buckets.map(({ quota, id }) => `${quota}:${id}`)).toEqual(wanted);
  });

  test('in a tenant’s limit when the caller is in it', () => {
    expect(countsInTenant(usual, person, 'member')).toBe(true);
    expect(countsInTenant(usual, person, undefined)).toBe(false);
    expect(countsInTenant(usual, { kind: 'admin' }, undefined)).toBe(false);
  });
});

describe('an address counts as its network', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s is %s', (address, wanted) => expect(network(address)).toBe(wanted));
});
