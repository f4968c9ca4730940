import { ROLE_PERMISSIONS, Role } from '@cloudfreedom/control-plane/http/permissions.ts';
import { describe, expect, test } from 'vitest';
import { type Deed, may } from './permissions.ts';
import { scopesOf } from './scopes.ts';

const deeds: readonly Deed[] = [
  'members.read',
  'members.write',
  'keys.own',
  'keys.manage',
  'tenant.write',
  'usage.read',
  'owner',
];

describe.each(Role.options)('the role %s', (role) => {
  test('opens the doors in the pages that the API opens', () => {
    for (const deed of deeds) expect([deed, may(role, deed)]).toEqual([deed, ROLE_PERMISSIONS[role].has(deed)]);
  });

  test('is offered for keys what the API lets it give', () => {
    const offered = scopesOf(role).filter((scope) => scope !== 'chat');
    const given = [...ROLE_PERMISSIONS[role]].filter(
      (permission) => permission !== 'keys.own' && permission !== 'owner',
    );
    expect(offered.toSorted()).toEqual(given.toSorted());
  });
});
