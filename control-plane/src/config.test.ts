import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const KEYS = {
  ADMIN_KEY: 'admin-key-for-tests',
  OPERATOR_KEY: 'operator-key-for-tests',
  ENCRYPTION_KEY: 'encryption-key-for-tests-only-000',
};

test('two keys are enough to start', () => {
  expect(readConfig(KEYS)).toMatchObject({ port: 8080, databaseUrl: undefined, holdTtlMs: 3_600_000 });
});

test('empty variables, as a chart renders absent values, count as absent', () => {
  expect(readConfig({ ...KEYS, DATABASE_URL: '', TOP_UP_URL: '' }).databaseUrl).toBeUndefined();
});

test('mail comes from the base domain unless it is said otherwise, and trusted hosts are a list', () => {
  const base = { ...KEYS, BASE_DOMAIN: 'ai.example.org' };
  expect(readConfig(base)).toMatchObject({
    smtpUrl: undefined,
    mailFrom: 'no-reply@ai.example.org',
    webhookTrustedHosts: [],
  });
  const more = { SMTP_URL: 'smtps://u:p@mail.example.org', WEBHOOK_TRUSTED_HOSTS: 'a:80,b.c:8080' };
  expect(readConfig({ ...base, ...more, MAIL_FROM: 'ai@example.org' })).toMatchObject({
    smtpUrl: 'smtps://u:p@mail.example.org',
    mailFrom: 'ai@example.org',
    webhookTrustedHosts: ['a:80', 'b.c:8080'],
  });
});

test.each([
  [{ SMTP_URL: 'http://mail.example.org' }, /SMTP_URL/],
  [{ MAIL_FROM: 'nobody' }, /MAIL_FROM/],
  [{ WEBHOOK_TRUSTED_HOSTS: 'http://x' }, /WEBHOOK_TRUSTED_HOSTS/],
  [{ ADMIN_KEY: 'short' }, /ADMIN_KEY/],
  [{ ADMIN_KEY: KEYS.OPERATOR_KEY }, /OPERATOR_KEY: must differ/],
  [{ PORT: 'eighty' }, /PORT/],
  [{ DATABASE_URL: 'mysql://somewhere' }, /DATABASE_URL/],
  [{ USD_EUR_RATE: '-1' }, /USD_EUR_RATE/],
  [{ USD_EUR_RATE: '0.00' }, /USD_EUR_RATE/],
  [{ USD_EUR_RATE_DATE: 'yesterday' }, /USD_EUR_RATE_DATE/],
])('%o is refused by name, without showing any value', (wrong, names) => {
  expect(() => readConfig({ ...KEYS, ...wrong })).toThrow(names);
  for (const value of Object.values({ ...KEYS, ...wrong })) {
    expect(() => readConfig({ ...KEYS, ...wrong })).not.toThrow(value);
  }
});
