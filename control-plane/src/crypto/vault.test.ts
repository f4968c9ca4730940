import { expect, test } from 'vitest';
import { openVault } from './vault.ts';

const vault = openVault('a secret of at least thirty-two characters');

test('what is sealed opens again, and is another text each time', () => {
  const first = vault.seal('totp', 'JBSWY3DPEHPK3PXP', 'person-1');
  expect(vault.open('totp', first, 'person-1')).toBe('JBSWY3DPEHPK3PXP');
  expect(vault.seal('totp', 'JBSWY3DPEHPK3PXP', 'person-1').equals(first)).toBe(false);
  expect(first.toString('latin1')).not.toContain('JBSWY3DPEHPK3PXP');
});

test('it opens for no other purpose, row or key, and not when a bit was changed', () => {
  const sealed = vault.seal('totp', 'secret', 'person-1');
  expect(() => vault.open('mail', sealed, 'person-1')).toThrow();
  expect(() => vault.open('totp', sealed, 'person-2')).toThrow();
  expect(() => openVault('another secret of thirty-two characters').open('totp', sealed, 'person-1')).toThrow();
  for (const place of [0, 5, 20, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[place] = (changed[place] ?? 0) ^ 1;
    expect(() => vault.open('totp', changed, 'person-1'), `byte ${place}`).toThrow();
  }
});

test('a code’s mac differs by purpose and key', () => {
  const mac = vault.mac('recovery', '123456');
  expect(vault.mac('recovery', '123456')).toEqual(mac);
  expect(vault.mac('other', '123456')).not.toEqual(mac);
  expect(openVault('another secret of thirty-two characters').mac('recovery', '123456')).not.toEqual(mac);
});
