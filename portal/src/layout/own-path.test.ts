import { expect, test } from 'vitest';
import { ownPath } from './own-path.ts';

test.each(['/', '/tenants/acme/keys', '/account?tab=1#top', '/oidc/auth?client_id=tenant-acme'])(
  '%s is a page of ours',
  (path) => {
    expect(ownPath(path)).toBe(path);
  },
);

test.each([
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  '',
  7,
])('%s leads elsewhere and is dropped', (value) => {
  expect(ownPath(value)).toBeUndefined();
});
