import { expect, test } from 'vitest';
import { busyText, refusalText, spentText } from './refusal-text.ts';

const FACTS = {
  scope: 'tenant' as const,
  tenant: 'Acme GmbH',
  timeZone: 'Europe/Berlin',
  remainingNanoEur: 0n,
  askedNanoEur: 12_300_000n,
  // Midnight in Berlin: still November in UTC.
  resetsAt: new Date('2026-11-30T23:00:00Z'),
  topUpUrl: 'https://example.test/top-up',
};

test('a spent budget says whose, until when, and where to top up: in German', () => {
  expect(spentText({ ...FACTS, language: 'de' })).toBe(
    'Das Budget von Acme GmbH für November 2026 ist aufgebraucht. Am 1. Dezember 2026 beginnt das nächste. Sofort weiter geht es mit einer Aufladung: https://example.test/top-up',
  );
});

test('and in English', () => {
  expect(spentText({ ...FACTS, language: 'en' })).toBe(
    'The budget of Acme GmbH for November 2026 is used up. It resets on 1 December 2026. To continue right away, top up here: https://example.test/top-up',
  );
});

test('a rest that cannot pay the request is named, with what the request may cost rounded up', () => {
  const some = { ...FACTS, remainingNanoEur: 11_000_000n };
  expect(spentText({ ...some, language: 'en' })).toContain(
    'used up except for €0.01; even a short answer to this request may cost €0.02',
  );
  expect(spentText({ ...some, language: 'de' })).toContain('bis auf 0,01\u00a0€ aufgebraucht');
});

test.each([
  [
    'user',
    'de',
    'Ihr persönliches Budget bei Acme GmbH für November 2026 ist aufgebraucht. Am 1. Dezember 2026 beginnt das nächste. Früher erhöhen kann es die Verwaltung von Acme GmbH.',
  ],
  [
    'user',
    'en',
    'Your personal budget at Acme GmbH for November 2026 is used up. It resets on 1 December 2026. The administrator of Acme GmbH can raise it before that.',
  ],
  [
    'key',
    'de',
    'Das Budget dieses API-Schlüssels bei Acme GmbH für November 2026 ist aufgebraucht. Am 1. Dezember 2026 beginnt das nächste. Früher erhöhen kann es die Verwaltung von Acme GmbH.',
  ],
  [
    'key',
    'en',
    'The budget of this API key at Acme GmbH for November 2026 is used up. It resets on 1 December 2026. The administrator of Acme GmbH can raise it before that.',
  ],
] as const)(
  'a spent limit of a %s names no top-up, which would not help, but who can raise it (%s)',
  (scope, language, text) => {
    expect(spentText({ ...FACTS, scope, language })).toBe(text);
  },
);

test('a busy budget asks for patience in seconds, and says whose it is', () => {
  expect(busyText('tenant', 'Acme', 'de', 5)).toBe(
    'Laufende Antworten halten gerade den Rest des Budgets von Acme. Bitte in 5 Sekunden noch einmal versuchen.',
  );
  expect(busyText('tenant', 'Acme', 'en', 1)).toContain('in 1 second.');
  expect(busyText('user', 'Acme', 'de', 5)).toContain('den Rest Ihres persönlichen Budgets bei Acme');
  expect(busyText('key', 'Acme', 'en', 5)).toContain('the rest of the budget of this API key at Acme');
});

test('other refusals name what to change', () => {
  expect(refusalText('model_not_allowed', 'de', 'Acme', 'gpt-4o')).toContain('gpt-4o ist für Acme nicht freigegeben');
  expect(refusalText('seats_taken', 'de', 'Acme', 'gpt-4o')).toContain('Alle Plätze von Acme sind vergeben');
  expect(refusalText('suspended', 'en', 'Acme', 'gpt-4o')).toContain('Acme is suspended');
});
