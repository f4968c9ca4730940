import { expect, test } from 'vitest';
import { isLocalPath } from './return-to.ts';

test.each(['/', '/tenants/acme', '/account?tab=security#keys', '/oidc/auth?client_id=a&redirect_uri=https%3A%2F%2Fx'])(
  '%s is a path of the portal',
  (path) => expect(isLocalPath(path)).toBe(true),
);

test.each([
  '',
  'tenants',
  'https://evil.test/',
  '//evil.test',
  '/\\evil.test',
  '/a\\b',
  '/\t/evil.test',
  '/\n/evil.test',
  'javascript:alert(1)',
  ' /tenants',
  '/tenants \r\nset-cookie: a=b',
  `/${'a'.repeat(3000)}`,
])('%j is not', (path) => expect(isLocalPath(path)).toBe(false));
