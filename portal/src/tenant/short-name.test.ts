import { reservedHostnames } from '@cloudfreedom/crds/tenant.ts';
import { expect, test } from 'vitest';
import { reservedNames, shortNameOf } from './short-name.ts';

test.each([
  ['Müller & Söhne GmbH', 'mueller-soehne-gmbh'],
  ['  Acme  ', 'acme'],
  ['3 Löwen', 'loewen'],
  ['Café Größenwahn!', 'cafe-groessenwahn'],
  ['東京', ''],
  ['a'.repeat(60), 'a'.repeat(40)],
])('"%s" becomes "%s"', (displayName, name) => {
  expect(shortNameOf(displayName)).toBe(name);
});

test('the names that the platform keeps are those of the Tenant', () => {
  expect(reservedNames).toEqual(reservedHostnames);
});
