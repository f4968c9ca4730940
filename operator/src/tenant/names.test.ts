import { describe, expect, it } from 'vitest';
import { namespaceName, providerKeyVariable } from './names.ts';

describe('the namespace of a tenant', () => {
  it('is readable where it fits', () => {
    expect(namespaceName('acme')).toBe('tenant-acme');
    expect(namespaceName('x'.repeat(56))).toBe(`tenant-${'x'.repeat(56)}`);
  });

  it('is a DNS label for every name up to 63 characters', () => {
    for (let length = 1; length <= 63; length++) {
      const name = namespaceName('x'.repeat(length));
      expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
    }
  });

  it('tells long names apart that begin alike', () => {
    const [one, other] = [`${'x'.repeat(62)}a`, `${'x'.repeat(62)}b`].map(namespaceName);
    expect(one).not.toBe(other);
  });

  it('never has two dashes where a long name is cut', () => {
    const name = `${'x'.repeat(44)}---${'y'.repeat(16)}`;
    expect(namespaceName(name)).toMatch(new RegExp(`^tenant-${'x'.repeat(44)}-[0-9a-f]{8}$`));
  });
});

describe('the variable of a provider key', () => {
  it('is the name in capitals', () => {
    expect(providerKeyVariable('gemini-2.0-flash', 'eu-west', new Set())).toBe('PROVIDER_KEY_GEMINI_2_0_FLASH_EU_WEST');
  });

  it('is never shared by two deployments', () => {
    const first = providerKeyVariable('gpt-4.1', 'a', new Set());
    const second = providerKeyVariable('gpt-4-1', 'a', new Set([first]));
    expect(second).not.toBe(first);
    expect(second).toMatch(/^PROVIDER_KEY_GPT_4_1_A_[0-9A-F]{8}$/);
  });
});
