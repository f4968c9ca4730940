import { expect, test } from 'vitest';
import { REDACTED, redact } from './redact.ts';

test.each([
  'password',
  'newPassword',
  'clientSecret',
  'accessToken',
  'api_key',
  'apiKey',
  'Authorization',
  'gatewayCredentialSha256',
  'totpSecret',
  'recoveryCodes',
  'code',
  'key',
  'smtpPassphrase',
  'encryptionKey',
  'cookie',
])('a text in a field of the name %s is redacted', (name) => {
  expect(redact({ [name]: 'plain' })).toEqual({ [name]: REDACTED });
  expect(redact({ outer: [{ [name]: ['plain'] }] })).toEqual({ outer: [{ [name]: [REDACTED] }] });
  expect(redact({ [name]: { value: 'plain' } })).toEqual({ [name]: { value: REDACTED } });
});

test.each([
  `cf-${'a'.repeat(43)}`,
  `cf-chat-${'b'.repeat(43)}`,
  `cfgw-${'c'.repeat(43)}`,
  `sk-proj-${'d'.repeat(40)}`,
  'ghp_0123456789abcdefghij',
  'AKIAIOSFODNN7EXAMPLE',
  'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwZXJzb24ifQ.c2lnbmF0dXJl',
  '-----BEGIN PRIVATE KEY-----\nMIIE',
  'Bearer abcdefghijklmnop',
  'postgres://someone:word@host/database',
  'otpauth://totp/x?secret=ABC',
  'https://portal.example.test/confirm#token=abc',
])('a text that looks like a secret is redacted wherever it stands: %s', (secret) => {
  expect(redact({ note: secret })).toEqual({ note: REDACTED });
  expect(redact([`before ${secret} after`])).toEqual([REDACTED]);
  expect(redact({ [secret]: 1 })).toEqual({ [REDACTED]: 1 });
});

test('what is no secret stays: numbers about tokens, names, ids, addresses, prices', () => {
  const document = {
    name: 'ci',
    maxOutputTokens: 16_384,
    inputTokens: 12,
    keyBudgetNanoEur: '25000000000',
    state: 'closed',
    plan: 'starter',
    id: '0b0f3f0e-7d0c-4c3e-8f5e-0e8f1f2a3b4c',
    email: 'anna@example.test',
    webhook: 'https://example.test/hook',
    secretExpires: null,
    hasPassword: true,
  };
  expect(redact(document)).toEqual(document);
});
