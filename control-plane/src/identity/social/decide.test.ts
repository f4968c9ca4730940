import { expect, test } from 'vitest';
import { type Decision, decide, type Known } from './decide.ts';

const NOTHING: Known = {
  emailVerified: true,
  owner: undefined,
  addressOwner: undefined,
  signedIn: undefined,
  linking: undefined,
};

const cases: readonly [sentence: string, known: Partial<Known>, decision: Decision][] = [
  ['a known identity signs its owner in', { owner: 'anna' }, { kind: 'sign_in', personId: 'anna' }],
  [
    'a known identity is its owner’s whatever address it has now',
    { owner: 'anna', addressOwner: 'bert', emailVerified: false },
    { kind: 'sign_in', personId: 'anna' },
  ],
  ['an unknown address waits for the terms', {}, { kind: 'wait', purpose: 'terms' }],
  ['a known address waits for its person', { addressOwner: 'anna' }, { kind: 'wait', purpose: 'link' }],
  [
    'a known address of somebody else than who is signed in waits, too',
    { addressOwner: 'anna', signedIn: 'bert' },
    { kind: 'wait', purpose: 'link' },
  ],
  [
    'the person with that address who is signed in gets it linked',
    { addressOwner: 'anna', signedIn: 'anna' },
    { kind: 'link', personId: 'anna' },
  ],
  ['an unverified address makes nobody', { emailVerified: false }, { kind: 'refuse', code: 'email_unverified' }],
  [
    'an unverified address finds nobody, not even who is signed in',
    { emailVerified: false, addressOwner: 'anna', signedIn: 'anna' },
    { kind: 'refuse', code: 'email_unverified' },
  ],
  [
    'who adds a provider gets it, whatever address it has and whether that is verified',
    { linking: 'anna', signedIn: 'anna', emailVerified: false, addressOwner: 'bert' },
    { kind: 'link', personId: 'anna' },
  ],
  [
    'adding it again changes nothing',
    { linking: 'anna', signedIn: 'anna', owner: 'anna' },
    { kind: 'link', personId: 'anna' },
  ],
  [
    'another’s identity is not added',
    { linking: 'anna', signedIn: 'anna', owner: 'bert' },
    { kind: 'refuse', code: 'identity_taken' },
  ],
  ['who signed out meanwhile adds nothing', { linking: 'anna' }, { kind: 'refuse', code: 'signed_out' }],
  [
    'who is somebody else meanwhile adds nothing',
    { linking: 'anna', signedIn: 'bert' },
    { kind: 'refuse', code: 'signed_out' },
  ],
];

for (const [sentence, known, decision] of cases) {
  test(sentence, () => expect(decide({ ...NOTHING, ...known })).toEqual(decision));
}
