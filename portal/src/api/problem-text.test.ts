import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, test } from 'vitest';
import { de } from '../i18n/de.ts';
import { ApiProblem } from './client.ts';
import { problemText } from './problem-text.ts';

describe('a refusal', () => {
  let t: TFunction;
  beforeAll(async () => {
    await i18next.init({ lng: 'de', resources: { de: { translation: de } } });
    t = i18next.t;
  });
  const refusal = (code: string, more: object = {}) =>
    new ApiProblem({ type: '', title: '', status: 409, detail: 'the detail of the API', code, ...more });

  test('reads in the language of the reader', () => {
    expect(problemText(t, refusal('name_taken'))).toBe('Dieser Kurzname ist schon vergeben. Wählen Sie einen anderen.');
  });

  test('that is newer than the portal shows what the API says', () => {
    expect(problemText(t, refusal('a_code_of_tomorrow'))).toBe('the detail of the API');
  });

  test('of too many attempts says how long to wait', () => {
    const seconds = refusal('too_many_attempts', { status: 429, retryAfterSeconds: 30 });
    expect(problemText(t, seconds)).toContain('Warten Sie 30 Sekunden');
    const minutes = refusal('too_many_attempts', { status: 429, retryAfterSeconds: 840 });
    expect(problemText(t, minutes)).toContain('Warten Sie 14 Minuten');
  });

  test('of a field says what to do about that field', () => {
    const errors = [{ path: 'password', message: 'is among the first that are tried' }];
    expect(problemText(t, refusal('invalid_input', { status: 422, errors }))).toContain('leicht zu erraten');
  });

  test('of nobody at all says that the server is away', () => {
    expect(problemText(t, new TypeError('Failed to fetch'))).toContain('nicht zu erreichen');
  });
});
