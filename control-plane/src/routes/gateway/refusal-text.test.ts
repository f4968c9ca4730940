import { expect, test } from 'vitest';
import { busyText, refusalText, spentText } from './refusal-text.ts';

const FACTS = {
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
    'used up except for €0.01; this request may cost up to €0.02',
  );
  expect(spentText({ ...some, language: 'de' })).toContain('bis auf 0,01\u00a0€ aufgebraucht');
});

test('a busy budget asks for patience in seconds', () => {
  expect(busyText('Acme', 'de', 5)).toContain('in 5 Sekunden');
  expect(busyText('Acme', 'en', 1)).toContain('in 1 second.');
});

test('other refusals name what to change', () => {
  expect(refusalText('model_not_allowed', 'de', 'Acme', 'gpt-4o')).toContain('gpt-4o ist für Acme nicht freigegeben');
  expect(refusalText('suspended', 'en', 'Acme', 'gpt-4o')).toContain('Acme is suspended');
});
