import { expect, test } from 'vitest';
import type { VisitEnd } from './complete-visit.ts';
import { landingOf } from './landing.ts';

const identity = { provider: 'google', email: 'anna@example.test', name: 'Anna & Söhne' } as const;

const cases: readonly [sentence: string, end: VisitEnd, returnTo: string | undefined, landing: string][] = [
  [
    'who is signed in goes where they wanted to',
    { kind: 'signed_in', personId: 'p', sessionId: 's', cookie: 'c' },
    '/tenants/acme?tab=keys',
    '/tenants/acme?tab=keys',
  ],
  ['or to the first page', { kind: 'signed_in', personId: 'p', sessionId: 's', cookie: 'c' }, undefined, '/'],
  ['who linked sees it', { kind: 'linked', provider: 'gitlab' }, undefined, '/account/security#linked=gitlab'],
  [
    'the second step keeps its token in the fragment',
    { kind: 'second_factor_required', pendingToken: 't', methods: ['totp', 'recovery'], expiresAt: new Date(0) },
    '/tenants/acme',
    '/second-factor#token=t&methods=totp%2Crecovery&expires_at=1970-01-01T00%3A00%3A00.000Z&return_to=%2Ftenants%2Facme',
  ],
  [
    'a new person is asked for the terms',
    { kind: 'waits', purpose: 'terms', token: 't', identity },
    undefined,
    '/sign-in#state=terms_required&token=t&provider=google&email=anna%40example.test&name=Anna+%26+S%C3%B6hne',
  ],
  [
    'a known address is asked for its sign-in',
    { kind: 'waits', purpose: 'link', token: 't', identity },
    undefined,
    '/sign-in#state=link_required&token=t&provider=google&email=anna%40example.test&name=Anna+%26+S%C3%B6hne',
  ],
  ['a refusal is named', { kind: 'refused', code: 'email_unverified' }, undefined, '/sign-in#error=email_unverified'],
  ['so is a locked account', { kind: 'locked' }, undefined, '/sign-in#error=account_locked'],
];

test.each(cases)('%s', (_sentence, end, returnTo, landing) => expect(landingOf(end, returnTo)).toBe(landing));
