import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../identity/session/session-cookie.ts';
import { openSession } from '../../identity/session/sessions.ts';
import type { Browser } from './testing/browser.ts';
import { type IdentityApi, startIdentityApi } from './testing/identity-api.ts';
import { enrolPasskey } from './testing/second-factors.ts';

let api: IdentityApi;
beforeAll(async () => {
  api = await startIdentityApi();
});
afterAll(() => api.stop());

const address = () => `${randomUUID()}@example.test`;

/** Somebody who registered by mail and is signed in. */
async function byMail(email = address()): Promise<{ id: string; email: string; browser: Browser }> {
  const { id, token } = await api.signedIn(email);
  const browser = api.browser();
  browser.cookies.set(SESSION_COOKIE, token);
  return { id, email, browser };
}

const linked = async (browser: Browser): Promise<string[]> =>
  (await browser.call('GET', '/v1/account/identities')).body.items.map((item: { provider: string }) => item.provider);

async function link(browser: Browser, provider: string, form: { email: string; verified?: boolean }) {
  const { body } = await browser.call('POST', `/v1/account/identities/${provider}`, {});
  return browser.comeBack(await browser.visitProvider(body.url, form));
}

test('who is signed in adds a provider, whatever its address, and signs in with it from then on', async () => {
  const { browser, id } = await byMail();
  const elsewhere = { email: address(), verified: false };
  expect(await link(browser, 'github', elsewhere)).toEqual({ path: '/account/security', state: { linked: 'github' } });
  expect(await linked(browser)).toEqual(['github']);
  const other = api.browser();
  await other.signInAt('github', elsewhere);
  expect((await other.whoAmI())?.id).toBe(id);
});

test('adding it is told by mail', async () => {
  const { browser } = await byMail();
  const count = async () => (await api.pool.query('select count(*)::int as count from mail')).rows[0].count;
  const before = await count();
  await link(browser, 'google', { email: address() });
  expect(await count()).toBe(before + 1);
});

test('somebody else’s identity is not added, nor a second one of the same provider', async () => {
  const taken = { email: address() };
  await api.registered('google', taken);
  const { browser } = await byMail();
  expect(await link(browser, 'google', taken)).toEqual({ path: '/sign-in', state: { error: 'identity_taken' } });
  await link(browser, 'google', { email: address() });
  expect((await link(browser, 'google', { email: address() })).state).toEqual({ error: 'provider_linked' });
});

test('a visit that began for one person links nothing to another, nor to nobody', async () => {
  const [person, other] = [await byMail(), await byMail()];
  const { body } = await person.browser.call('POST', '/v1/account/identities/google', {});
  const callback = await person.browser.visitProvider(body.url, { email: address() });
  const session = other.browser.cookies.get(SESSION_COOKIE) ?? '';
  person.browser.cookies.set(SESSION_COOKIE, session);
  expect((await person.browser.comeBack(callback)).state).toEqual({ error: 'signed_out' });
  expect(await linked(other.browser)).toEqual([]);
});

test('a known address is linked once its person has signed in by what they have', async () => {
  const { email, id } = await byMail();
  const browser = api.browser();
  const landing = await browser.signInAt('google', { email });
  expect(landing.state).toMatchObject({ state: 'link_required' });
  const before = await browser.call('POST', '/v1/account/identities', { token: landing.state.token });
  expect(before.status).toBe(401);
  const signedIn = await sessionOf(id);
  expect(await signedIn.call('POST', '/v1/account/identities', { token: landing.state.token })).toMatchObject({
    status: 201,
    body: { provider: 'google' },
  });
  expect((await api.browser().signInAt('google', { email })).path).toBe('/');
  const again = await signedIn.call('POST', '/v1/account/identities', { token: landing.state.token });
  expect(again.body.code).toBe('token_unknown');
});

test('the token of such an identity links it to nobody who has another address', async () => {
  const owner = await byMail();
  const landing = await api.browser().signInAt('google', { email: owner.email });
  const attacker = await byMail();
  const answer = await attacker.browser.call('POST', '/v1/account/identities', { token: landing.state.token });
  expect(answer).toMatchObject({ status: 409, body: { code: 'other_address' } });
  expect(await linked(attacker.browser)).toEqual([]);
});

test('who is signed in to the account with that address gets it linked on the way', async () => {
  const { browser, email } = await byMail();
  expect(await browser.signInAt('gitlab', { email }, '/tenants/acme')).toEqual({ path: '/tenants/acme', state: {} });
  expect(await linked(browser)).toEqual(['gitlab']);
});

test('but not by an address that the provider did not verify', async () => {
  const { browser, email } = await byMail();
  expect((await browser.signInAt('gitlab', { email, verified: false })).state).toEqual({ error: 'email_unverified' });
  expect(await linked(browser)).toEqual([]);
});

test('the last way in is not removed, whichever it is, and not by two removals at once', async () => {
  const form = { email: address() };
  const browser = await api.registered('google', form);
  const remove = (path: string) => browser.call('DELETE', path);
  expect((await remove('/v1/account/identities/google')).body.code).toBe('last_way_in');
  const { id } = await enrolPasskey(browser);
  const paths = ['/v1/account/identities/google', `/v1/account/passkeys/${id}`];
  const answers = await Promise.all(paths.map(remove));
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
});

test('one of several ways in is removed, and opens nothing any more', async () => {
  const form = { email: address() };
  const browser = await api.registered('google', form);
  await link(browser, 'gitlab', form);
  expect((await browser.call('DELETE', '/v1/account/identities/google')).status).toBe(204);
  expect((await browser.call('DELETE', '/v1/account/identities/github')).body.code).toBe('identity_unknown');
  expect((await api.browser().signInAt('google', form)).state).toMatchObject({ state: 'link_required' });
  expect((await api.browser().signInAt('gitlab', form)).path).toBe('/');
});

test('a link is begun by the portal’s own pages only', async () => {
  const { browser } = await byMail();
  const cookie = `${SESSION_COOKIE}=${browser.cookies.get(SESSION_COOKIE)}`;
  const answer = await api.call(
    'POST',
    '/v1/account/identities/google',
    undefined,
    {},
    {
      cookie,
      origin: 'https://evil.test',
    },
  );
  expect(answer).toMatchObject({ status: 403, body: { code: 'cross_site' } });
});

/** Another browser, in which this person has signed in. */
async function sessionOf(id: string): Promise<Browser> {
  const { token } = await openSession(api.pool, id, ['password'], { address: undefined, userAgent: undefined });
  const browser = api.browser();
  browser.cookies.set(SESSION_COOKIE, token);
  return browser;
}
