import { describe, expect, test } from 'vitest';
import { hashToken } from '../crypto/token.ts';
import type { SignedIn } from '../identity/session/sessions.ts';
import { type AdmissionFacts, decideAdmission } from './admission.ts';
import { isSecretOf } from './client-secret.ts';
import { decideInteraction } from './interaction.ts';
import { methodReferences } from './portal-session.ts';
import { decideRotation, inOrder, KEEP_DAYS, ROTATE_DAYS } from './signing-keys.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const days = (count: number) => new Date(NOW.getTime() + count * 86_400_000);

const member: AdmissionFacts = {
  tenant: { id: 1n, state: 'open', suspended: false },
  person: { id: 'p', email: 'ada@example.test', name: 'Ada', language: 'de', state: 'active', verified: true },
  role: 'member',
};

describe('who is let in', () => {
  test.each(['owner', 'admin', 'member'] as const)('a member as %s', (role) => {
    expect(decideAdmission({ ...member, role })).toMatchObject({ admitted: { role, personId: 'p' } });
  });

  test.each<[string, Partial<AdmissionFacts>]>([
    ['tenant_unknown', { tenant: undefined }],
    ['tenant_closed', { tenant: { id: 1n, state: 'closed', suspended: false } }],
    ['tenant_suspended', { tenant: { id: 1n, state: 'open', suspended: true } }],
    ['person_unknown', { person: undefined }],
    ['person_unknown', { person: { ...person(), state: 'erased', email: null } }],
    ['person_locked', { person: { ...person(), state: 'locked' } }],
    ['address_unconfirmed', { person: { ...person(), verified: false } }],
    ['not_a_member', { role: null }],
    ['no_seat', { role: 'billing' }],
  ])('not so: %s', (refused, change) => {
    expect(decideAdmission({ ...member, ...change })).toEqual({ refused });
  });

  function person(): NonNullable<AdmissionFacts['person']> {
    if (member.person === undefined) throw new Error('the fixture has a person');
    return member.person;
  }
});

describe('how an interaction ends', () => {
  const signedIn = (minutesAgo: number): SignedIn => ({
    person: { id: 'p', email: 'ada@example.test', name: 'Ada', language: 'de', platformAdmin: false },
    session: { id: 's', methods: ['password', 'totp'], authenticatedAt: new Date(NOW.getTime() - minutesAgo * 60_000) },
  });
  const any = { freshly: false, maxAgeSeconds: undefined };

  test('at the portal’s sign-in where nobody is signed in', () => {
    expect(decideInteraction(undefined, any, undefined, NOW)).toBeUndefined();
  });

  test('with the person, since when and how they are signed in', () => {
    expect(decideInteraction(signedIn(60), any, decideAdmission(member), NOW)).toEqual({
      login: { accountId: 'p', ts: NOW.getTime() / 1000 - 3600, amr: ['pwd', 'otp', 'mfa'] },
    });
  });

  test('with a refusal that says why', () => {
    const end = decideInteraction(signedIn(0), any, decideAdmission({ ...member, role: null }), NOW);
    expect(end).toMatchObject({ error: 'access_denied', error_description: expect.stringContaining('not a member') });
  });

  test.each([
    [4, { freshly: true, maxAgeSeconds: undefined }, 'login'],
    [6, { freshly: true, maxAgeSeconds: undefined }, 'error'],
    [6, { freshly: false, maxAgeSeconds: 400 }, 'login'],
    [7, { freshly: false, maxAgeSeconds: 400 }, 'error'],
    [1, { freshly: false, maxAgeSeconds: 0 }, 'error'],
  ])('after %d minutes, wished %j: %s', (minutes, wish, end) => {
    expect(decideInteraction(signedIn(minutes), wish, decideAdmission(member), NOW)).toHaveProperty(end);
  });
});

test('ways of signing in have the names of RFC 8176 where there is one', () => {
  expect(methodReferences(['password'])).toEqual(['pwd']);
  expect(methodReferences(['github'])).toEqual([]);
  expect(methodReferences(['google', 'totp'])).toEqual(['otp']);
  expect(methodReferences(['password', 'recovery'])).toEqual(['pwd', 'otp', 'mfa']);
});

describe('signing keys', () => {
  const key = (kid: string, signsFrom: Date) => ({ kid, signsFrom });

  test('the newest whose time has come signs; the others verify', () => {
    const keys = [key('old', days(-90)), key('next', days(1)), key('now', days(-1))];
    expect(inOrder(keys, NOW).map(({ kid }) => kid)).toEqual(['now', 'next', 'old']);
    expect(inOrder([key('next', days(1))], NOW).map(({ kid }) => kid)).toEqual(['next']);
  });

  test('another is due after its days, and one goes when its successor has signed for long enough', () => {
    expect(decideRotation([key('a', days(1 - ROTATE_DAYS))], NOW)).toEqual({ add: false, remove: [] });
    expect(decideRotation([key('a', days(-ROTATE_DAYS))], NOW)).toEqual({ add: true, remove: [] });
    const pair = (since: number) => [key('a', days(-100)), key('b', days(since))];
    expect(decideRotation(pair(1 - KEEP_DAYS), NOW).remove).toEqual([]);
    expect(decideRotation(pair(-KEEP_DAYS), NOW).remove).toEqual(['a']);
  });
});

test('a secret is known by its hash alone, the present one and the one before', () => {
  const hash = (secret: string) => hashToken(secret).toString('hex');
  const hashes = `${hash('new')},${hash('old')}`;
  expect(['new', 'old', 'other', '', hash('new'), hashes].map((secret) => isSecretOf(hashes, secret))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(isSecretOf('', '')).toBe(false);
});
