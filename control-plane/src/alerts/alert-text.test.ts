import { expect, test } from 'vitest';
import { type AlertFacts, alertText } from './alert-text.ts';

const FACTS: AlertFacts = {
  language: 'de',
  displayName: 'Muster GmbH',
  scope: 'tenant',
  subjectName: undefined,
  period: '2026-11',
  thresholdPercent: 80,
  spentNanoEur: 20_000_000_000n,
  budgetNanoEur: 25_000_000_000n,
  topUpUrl: 'https://example.test/top-up',
};

test('says in German whose budget it is, how much is spent, and what happens next', () => {
  const { subject, text } = alertText(FACTS);
  expect(subject).toBe('Muster GmbH: 80 % des Budgets sind verbraucht');
  expect(text).toContain('80 % des Budgets sind verbraucht (November 2026).');
  expect(text.replaceAll(/\u00a0/g, ' ')).toContain('Ausgegeben: 20,00 €\n  Budget:     25,00 €');
  expect(text).toContain('https://example.test/top-up');
});

test('and in English', () => {
  const { subject, text } = alertText({ ...FACTS, language: 'en' });
  expect(subject).toBe('Muster GmbH: 80% of the budget has been spent');
  expect(text).toContain('Spent:  €20.00\n  Budget: €25.00');
});

test.each([
  ['de', 'tenant', undefined, 'Muster GmbH: Das Budget ist aufgebraucht'],
  ['de', 'user', 'Ada', 'Muster GmbH: Das Budget von Ada ist aufgebraucht'],
  ['de', 'key', 'ci', 'Muster GmbH: Das Budget des Schlüssels ci ist aufgebraucht'],
  ['en', 'tenant', undefined, 'Muster GmbH: The budget is spent'],
  ['en', 'user', undefined, 'Muster GmbH: The budget of a member is spent'],
  ['en', 'key', 'ci', 'Muster GmbH: The budget of the key ci is spent'],
] as const)('at 100 %%, in %s, of a %s: %s', (language, scope, subjectName, subject) => {
  expect(alertText({ ...FACTS, language, scope, subjectName, thresholdPercent: 100 }).subject).toBe(subject);
});

test('a name with line breaks makes no further header', () => {
  const { subject } = alertText({ ...FACTS, displayName: 'A\r\nBcc: everyone@example.test' });
  expect(subject).not.toMatch(/[\r\n]/);
});
