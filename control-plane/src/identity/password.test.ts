import { describe, expect, test } from 'vitest';
import { HASHES_AT_ONCE, MAX_WAITING_HASHES, Passwords } from './password.ts';
import { HASH_COST, hashPassword, isStale, matchesHash } from './password-hash.ts';
import { weaknessOf } from './password-rules.ts';

const CHEAP = { ln: 8, r: 8, p: 1 };

describe('a hash', () => {
  test('matches its password only, is salted, and says what it cost', async () => {
    const [one, other] = await Promise.all([
      hashPassword('a long password', CHEAP),
      hashPassword('a long password', CHEAP),
    ]);
    expect(one).toMatch(/^\$scrypt\$ln=8,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(other);
    expect(await matchesHash('a long password', one)).toBe(true);
    expect(await matchesHash('A long password', one)).toBe(false);
  });

  test('of today costs 64 MiB', () => {
    expect(128 * 2 ** HASH_COST.ln * HASH_COST.r).toBe(64 * 1024 * 1024);
  });

  test('takes two spellings of the same letters for the same', async () => {
    const composed = await hashPassword('Schl\u00fcsselbund', CHEAP);
    expect(await matchesHash('Schlu\u0308sselbund', composed)).toBe(true);
  });

  test('is stale when its cost is not today’s, and of another form a fault of ours', async () => {
    const stored = await hashPassword('a long password', CHEAP);
    expect(isStale(stored, CHEAP)).toBe(false);
    expect(isStale(stored, { ...CHEAP, ln: 9 })).toBe(true);
    await expect(matchesHash('a long password', '$2b$12$somethingelse')).rejects.toThrow('not of the known form');
  });
});

describe('comparing', () => {
  test('a stale hash that is right is renewed; a wrong or missing one is not', async () => {
    const passwords = new Passwords({ ...CHEAP, ln: 9 });
    const stored = await hashPassword('a long password', CHEAP);
    const { right, renewed } = await passwords.compare('a long password', stored);
    expect(right).toBe(true);
    expect(renewed).toMatch(/^\$scrypt\$ln=9,/);
    expect(await passwords.compare('another password', stored)).toEqual({ right: false, renewed: undefined });
    expect(await passwords.compare('a long password', null)).toEqual({ right: false, renewed: undefined });
  });

  test('is turned away with 503 when more wait than there is room for, and goes on after', async () => {
    const passwords = new Passwords(CHEAP);
    const room = HASHES_AT_ONCE + MAX_WAITING_HASHES;
    const results = await Promise.allSettled(Array.from({ length: room + 3 }, () => passwords.hash('a long password')));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(room);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => reason.problem.code)).toEqual(Array(3).fill('sign_in_busy'));
    await expect(passwords.hash('a long password')).resolves.toContain('$scrypt$');
  });
});

describe('a new password', () => {
  const ada = { name: 'Ada Lovelace', email: 'ada.lovelace@example.test' };

  test.each([
    ['Password1234', 'among the first'],
    ['passwort!!!!', 'among the first'],
    ['Sommerzeit2026!', 'among the first'],
    ['correct horse battery staple', 'among the first'],
    ['123456789012', 'a row'],
    ['lkjhgfdsapoi', 'a row'],
    ['aaaaaaaaaaaaaa', 'repeats'],
    ['1212121212121', 'repeats'],
    ['abcdabcdabcd', 'repeats'],
    ['adalovelace1', 'your own name'],
    ['Lovelace2026!', 'your own name'],
    ['ada.lovelace@example.test', 'your own name'],
  ])('%s is refused: it %s', (password, why) => {
    expect(weaknessOf(password, ada)).toContain(why);
  });

  test.each([
    'a sentence of four words',
    'nur kleine buchstaben reichen',
    'k7#mQz2!vLp9',
    '🦆🦆 schwimmen im Teich',
    'lovelace wrote the first program',
  ])('%s is taken', (password) => {
    expect(weaknessOf(password, ada)).toBeUndefined();
  });
});
