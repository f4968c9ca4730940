import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SoftwareAuthenticator } from '../../identity/passkey/testing/software-authenticator.ts';
import type { Browser } from './testing/browser.ts';
import { type IdentityApi, startIdentityApi } from './testing/identity-api.ts';
import { enrolPasskey, enrolTotp } from './testing/second-factors.ts';

let api: IdentityApi;
beforeAll(async () => {
  api = await startIdentityApi();
});
afterAll(() => api.stop());

async function somebody() {
  const email = `${randomUUID()}@example.test`;
  return { email, browser: await api.registered('google', { email }) };
}

async function signIn(browser: Browser, device: SoftwareAuthenticator, deviation = {}) {
  const { body: options } = await browser.call('POST', '/v1/sign-in/passkey/options', {});
  return browser.call('POST', '/v1/sign-in/passkey', { assertion: device.get(options, deviation) });
}

test('a passkey alone signs in, also where a second factor is set up: the device has checked its user', async () => {
  const person = await somebody();
  await enrolTotp(person.browser, new Date());
  const { device } = await enrolPasskey(person.browser);
  const browser = api.browser();
  expect(await signIn(browser, device)).toMatchObject({ status: 201, body: { status: 'signed_in' } });
  expect(await browser.whoAmI()).toMatchObject({ email: person.email, session: { methods: ['passkey'] } });
});

test('without the device’s check of its user it signs nobody in', async () => {
  const person = await somebody();
  const { device } = await enrolPasskey(person.browser);
  const browser = api.browser();
  const answer = await signIn(browser, device, { userVerified: false });
  expect(answer).toMatchObject({ status: 401, body: { code: 'passkey_refused' } });
  expect(await browser.whoAmI()).toBeUndefined();
});

test('a first passkey brings recovery codes and makes sign-ins at a provider ask for it', async () => {
  const person = await somebody();
  const { device, recoveryCodes } = await enrolPasskey(person.browser);
  expect(recoveryCodes).toHaveLength(10);
  const browser = api.browser();
  const { path, state } = await browser.signInAt('google', { email: person.email });
  expect({ path, methods: state.methods }).toEqual({ path: '/second-factor', methods: 'passkey,recovery' });
  const { body: options } = await browser.call('POST', '/v1/sign-in/passkey/options', { pendingToken: state.token });
  expect(options.allowCredentials).toHaveLength(1);
  const assertion = device.get(options, { userVerified: false });
  const answer = { pendingToken: state.token, method: 'passkey', assertion };
  expect((await browser.call('POST', '/v1/sign-in/second-factor', answer)).status).toBe(201);
  expect((await browser.whoAmI())?.session.methods).toEqual(['google', 'passkey']);
});

test('the passkey of somebody else is no second factor', async () => {
  const [person, other] = [await somebody(), await somebody()];
  await enrolPasskey(person.browser);
  const { device } = await enrolPasskey(other.browser);
  const browser = api.browser();
  const { state } = await browser.signInAt('google', { email: person.email });
  const { body: options } = await browser.call('POST', '/v1/sign-in/passkey/options', { pendingToken: state.token });
  const answer = { pendingToken: state.token, method: 'passkey', assertion: device.get(options) };
  expect((await browser.call('POST', '/v1/sign-in/second-factor', answer)).body.code).toBe('second_factor_refused');
  const unknown = await browser.call('POST', '/v1/sign-in/passkey/options', { pendingToken: 'a'.repeat(43) });
  expect(unknown.body.code).toBe('sign_in_expired');
});

test('an answer to the second step’s challenge does not sign in alone, nor the other way round', async () => {
  const person = await somebody();
  const { device } = await enrolPasskey(person.browser);
  const browser = api.browser();
  const { state } = await browser.signInAt('google', { email: person.email });
  const { body: forSecond } = await browser.call('POST', '/v1/sign-in/passkey/options', { pendingToken: state.token });
  const alone = await browser.call('POST', '/v1/sign-in/passkey', { assertion: device.get(forSecond) });
  expect(alone.status).toBe(401);
  const { body: forSignIn } = await browser.call('POST', '/v1/sign-in/passkey/options', {});
  const second = { pendingToken: state.token, method: 'passkey', assertion: device.get(forSignIn) };
  expect((await browser.call('POST', '/v1/sign-in/second-factor', second)).status).toBe(401);
});

test('a locked person’s passkey does not let them in', async () => {
  const person = await somebody();
  const { device } = await enrolPasskey(person.browser);
  await api.pool.query(`update person set state = 'locked' where email = $1`, [person.email]);
  expect(await signIn(api.browser(), device)).toMatchObject({ status: 403, body: { code: 'account_locked' } });
});

test('passkeys are listed, removed by their owner alone, and signed in with no more', async () => {
  const [person, other] = [await somebody(), await somebody()];
  const { device, id } = await enrolPasskey(person.browser);
  expect((await person.browser.call('GET', '/v1/account/passkeys')).body.items).toMatchObject([
    { id, name: 'My laptop' },
  ]);
  expect((await other.browser.call('DELETE', `/v1/account/passkeys/${id}`)).body.code).toBe('passkey_unknown');
  expect((await person.browser.call('DELETE', `/v1/account/passkeys/${id}`)).status).toBe(204);
  expect((await signIn(api.browser(), device)).body.code).toBe('passkey_refused');
  expect((await api.browser().signInAt('google', { email: person.email })).path).toBe('/');
});
