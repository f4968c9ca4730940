import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IdentityApi, PROVIDERS, startIdentityApi } from './testing/identity-api.ts';

let api: IdentityApi;
beforeAll(async () => {
  api = await startIdentityApi();
});
afterAll(() => api.stop());

test('the page learns which providers are set up', async () => {
  const { body } = await api.browser().call('GET', '/v1/sign-in/providers');
  expect(body.items.map((item: { title: string }) => item.title)).toEqual(['Google', 'GitHub', 'GitLab']);
});

describe.each(PROVIDERS)('%s', (provider) => {
  const form = { email: `anna@${provider}.example.test`, name: 'Anna Müller', subject: '4711' };

  test('a new person is asked for the terms, and is there once they are accepted', async () => {
    const browser = api.browser();
    const landing = await browser.signInAt(provider, form, '/tenants/new');
    expect(landing).toMatchObject({
      path: '/sign-in',
      state: { state: 'terms_required', provider, email: form.email, name: form.name, return_to: '/tenants/new' },
    });
    expect(await browser.whoAmI()).toBeUndefined();
    expect((await api.accept(browser, landing)).body).toMatchObject({ status: 'signed_in' });
    const me = await browser.whoAmI();
    expect(me).toMatchObject({ email: form.email, name: form.name, session: { methods: [provider] } });
    const { rows } = await api.pool.query(
      `select email_verified_at is not null as verified, version from person p join terms_acceptance t on t.person_id = p.id
       where p.id = $1`,
      [me?.id],
    );
    expect(rows).toEqual([{ verified: true, version: '2026-11' }]);
  });

  test('a known person is signed in and lands where they wanted to, also under another address', async () => {
    const browser = api.browser();
    expect(await browser.signInAt(provider, form, '/tenants/acme?tab=keys')).toEqual({
      path: '/tenants/acme?tab=keys',
      state: {},
    });
    expect(await browser.whoAmI()).toMatchObject({ email: form.email, session: { methods: [provider] } });
    const renamed = api.browser();
    expect((await renamed.signInAt(provider, { ...form, email: 'anna.new@example.test', verified: false })).path).toBe(
      '/',
    );
    expect(await renamed.whoAmI()).toMatchObject({ email: form.email });
  });

  test('the terms’ token is good once', async () => {
    const browser = api.browser();
    const landing = await browser.signInAt(provider, { email: `once@${provider}.example.test` });
    const answers = await Promise.all([api.accept(browser, landing), api.accept(browser, landing)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 404]);
    expect((await api.accept(browser, landing)).body.code).toBe('token_unknown');
  });

  test('an unverified address makes nobody', async () => {
    const browser = api.browser();
    const landing = await browser.signInAt(provider, { email: `un@${provider}.example.test`, verified: false });
    expect(landing).toEqual({ path: '/sign-in', state: { error: 'email_unverified' } });
    const { rows } = await api.pool.query('select from person where email = $1', [`un@${provider}.example.test`]);
    expect(rows).toHaveLength(0);
  });

  test('an address that has an account is asked for that account’s sign-in, and nothing is linked by itself', async () => {
    const owner = await api.signedIn(`known@${provider}.example.test`);
    const stranger = api.browser();
    const landing = await stranger.signInAt(provider, { email: `Known@${provider}.example.test` });
    expect(landing).toMatchObject({ path: '/sign-in', state: { state: 'link_required', provider } });
    expect(await stranger.whoAmI()).toBeUndefined();
    const { rows } = await api.pool.query('select from identity where person_id = $1', [owner.id]);
    expect(rows).toHaveLength(0);
    // Nor can its token make an account.
    expect((await api.accept(stranger, landing)).status).toBe(404);
  });

  test('who says no at the provider is back at the sign-in page', async () => {
    const browser = api.browser();
    const landing = await browser.signInAt(provider, { ...form, decision: 'deny' }, '/tenants/acme');
    expect(landing).toEqual({ path: '/sign-in', state: { error: 'denied', return_to: '/tenants/acme' } });
  });

  test('a locked person is not let in', async () => {
    const locked = { email: `locked@${provider}.example.test` };
    await api.registered(provider, locked);
    await api.pool.query(`update person set state = 'locked' where email = $1`, [locked.email]);
    const browser = api.browser();
    expect(await browser.signInAt(provider, locked)).toEqual({ path: '/sign-in', state: { error: 'account_locked' } });
    expect(await browser.whoAmI()).toBeUndefined();
  });
});

test('the same subject at two providers is two people', async () => {
  const one = await api.registered('google', { email: 'one@example.test', subject: '99' });
  const other = await api.registered('gitlab', { email: 'other@example.test', subject: '99' });
  expect((await one.whoAmI())?.id).not.toBe((await other.whoAmI())?.id);
});

test('an account made by mail while the terms were read is not taken over', async () => {
  const browser = api.browser();
  const landing = await browser.signInAt('google', { email: 'meanwhile@example.test' });
  await api.signedIn('meanwhile@example.test');
  expect(await api.accept(browser, landing)).toMatchObject({ status: 409, body: { code: 'link_required' } });
});

test('signing in at a provider ends the session the browser had', async () => {
  const browser = await api.registered('google', { email: 'again@example.test' });
  const before = new Map(browser.cookies);
  await browser.signInAt('google', { email: 'again@example.test' });
  const old = api.browser();
  for (const [name, value] of before) old.cookies.set(name, value);
  expect(await old.whoAmI()).toBeUndefined();
  expect(await browser.whoAmI()).toBeDefined();
});
