import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inTransaction, openPool } from '../../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { newPerson } from '../testing/people.ts';
import { personOfAssertion, secondFactorOptions, signInOptions } from './authenticate.ts';
import { registrationOptions, storePasskey, verifyRegistration } from './register.ts';
import { relyingPartyOf } from './relying-party.ts';
import { type Deviation, SoftwareAuthenticator } from './testing/software-authenticator.ts';

const ORIGIN = 'https://portal.example.test';
const party = relyingPartyOf(ORIGIN);
const SIGN_IN = { purpose: 'sign_in' } as const;

let databases: TestDatabases;
let pool: pg.Pool;
let person: { id: string; email: string; name: string };
let device: SoftwareAuthenticator;

beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  pool = openPool({ url: await databases.clone(), onError: () => {} });
  person = await newPerson(pool, 'owner@example.test');
  device = new SoftwareAuthenticator(ORIGIN);
  return () => pool.end();
});

async function register(deviation: Deviation = {}, owner = person) {
  const options = await registrationOptions(pool, party, owner);
  return keep(owner.id, device.create(options, deviation));
}

async function keep(personId: string, response: ReturnType<SoftwareAuthenticator['create']>) {
  const made = await verifyRegistration(pool, party, personId, response);
  if (typeof made === 'string') return made;
  return inTransaction(pool, (client) => storePasskey(client, personId, 'My laptop', made));
}

async function signIn(deviation: Deviation = {}) {
  return personOfAssertion(pool, party, SIGN_IN, device.get(await signInOptions(pool, party), deviation));
}

test('a passkey that was registered signs its owner in, again and again', async () => {
  expect(await register()).toMatchObject({ name: 'My laptop', lastUsedAt: null });
  expect(await signIn()).toBe(person.id);
  expect(await signIn()).toBe(person.id);
});

test('an authenticator that does not count is taken at its word', async () => {
  await register({ counter: 0 });
  expect(await signIn({ counter: 0 })).toBe(person.id);
  expect(await signIn({ counter: 0 })).toBe(person.id);
});

test('a registration for another origin or another relying party is refused', async () => {
  expect(await register({ origin: 'https://portal.example.test.evil.test' })).toBe('passkey_refused');
  expect(await register({ rpId: 'example.test' })).toBe('passkey_refused');
});

test('a registration is refused with the challenge of another person, of a sign-in, of nobody, or a used one', async () => {
  const other = await newPerson(pool, 'other@example.test');
  const ofOther = await registrationOptions(pool, party, other);
  expect(await keep(person.id, device.create(ofOther))).toBe('challenge_unknown');
  const own = await registrationOptions(pool, party, person);
  const { challenge } = await signInOptions(pool, party);
  expect(await keep(person.id, device.create({ ...own, challenge }))).toBe('challenge_unknown');
  const invented = Buffer.alloc(32).toString('base64url');
  expect(await keep(person.id, device.create({ ...own, challenge: invented }))).toBe('challenge_unknown');
  const response = device.create(own);
  expect(await keep(person.id, response)).toMatchObject({ name: 'My laptop' });
  expect(await keep(person.id, response)).toBe('challenge_unknown');
});

test('a sign-in from another origin, for another relying party or without a check of the user is refused', async () => {
  await register();
  expect(await signIn({ origin: 'https://chat.example.test' })).toBeUndefined();
  expect(await signIn({ rpId: 'chat.example.test' })).toBeUndefined();
  expect(await signIn({ userVerified: false })).toBeUndefined();
  expect(await signIn()).toBe(person.id);
});

test('a sign-in whose user handle is missing or names somebody else is refused', async () => {
  const other = await newPerson(pool, 'other@example.test');
  await register();
  const handle = Buffer.from(other.id.replaceAll('-', ''), 'hex').toString('base64url');
  expect(await signIn({ userHandle: handle })).toBeUndefined();
  expect(await signIn({ userHandle: null })).toBeUndefined();
  expect(await signIn({ userHandle: 'AA' })).toBeUndefined();
});

test('a counter that does not grow is refused', async () => {
  await register({ counter: 5 });
  expect(await signIn({ counter: 9 })).toBe(person.id);
  expect(await signIn({ counter: 9 })).toBeUndefined();
  expect(await signIn({ counter: 3 })).toBeUndefined();
  expect(await signIn({ counter: 0 })).toBeUndefined();
  expect(await signIn({ counter: 10 })).toBe(person.id);
});

test('of two answers at once with the same counter, one is refused', async () => {
  await register({ counter: 5 });
  const copies = [await signInOptions(pool, party), await signInOptions(pool, party)].map((options) =>
    device.get(options, { counter: 6 }),
  );
  const answers = await Promise.all(copies.map((response) => personOfAssertion(pool, party, SIGN_IN, response)));
  expect(answers.filter((answer) => answer === person.id)).toHaveLength(1);
});

test('a replayed, an overdue and a wrongly answered challenge are good for nothing', async () => {
  await register();
  const response = device.get(await signInOptions(pool, party));
  expect(await personOfAssertion(pool, party, SIGN_IN, response)).toBe(person.id);
  expect(await personOfAssertion(pool, party, SIGN_IN, response)).toBeUndefined();
  const late = await signInOptions(pool, party);
  await pool.query("update passkey_challenge set expires_at = now() - interval '1 second'");
  expect(await personOfAssertion(pool, party, SIGN_IN, device.get(late))).toBeUndefined();
  const options = await signInOptions(pool, party);
  expect(await personOfAssertion(pool, party, SIGN_IN, device.get(options, { rpId: 'evil.test' }))).toBeUndefined();
  expect(await personOfAssertion(pool, party, SIGN_IN, device.get(options))).toBeUndefined();
});

test('a tampered signature and an unknown passkey are refused', async () => {
  await register();
  const response = device.get(await signInOptions(pool, party));
  const signature = `${response.response.signature.slice(0, -6)}AAAAAA`;
  const tampered = { ...response, response: { ...response.response, signature } };
  expect(await personOfAssertion(pool, party, SIGN_IN, tampered)).toBeUndefined();
  const stranger = new SoftwareAuthenticator(ORIGIN);
  const options = await registrationOptions(pool, party, person);
  stranger.create(options);
  expect(await personOfAssertion(pool, party, SIGN_IN, stranger.get(await signInOptions(pool, party)))).toBeUndefined();
});

test('as a second factor, a passkey answers for its owner alone and needs no check of the user', async () => {
  const other = await newPerson(pool, 'other@example.test');
  await register();
  const second = async (personId: string, challengeOf = personId) => {
    const response = device.get(await secondFactorOptions(pool, party, challengeOf), { userVerified: false });
    return personOfAssertion(pool, party, { purpose: 'second_factor', personId }, response);
  };
  expect(await second(person.id)).toBe(person.id);
  expect(await second(other.id)).toBeUndefined();
  expect(await second(person.id, other.id)).toBeUndefined();
  const ofSignIn = device.get(await signInOptions(pool, party));
  expect(
    await personOfAssertion(pool, party, { purpose: 'second_factor', personId: person.id }, ofSignIn),
  ).toBeUndefined();
});
