import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PORTAL_URL } from '../../testing/api.ts';
import { type IdentityApi, PROVIDERS, startIdentityApi } from './testing/identity-api.ts';

let api: IdentityApi;
beforeAll(async () => {
  api = await startIdentityApi();
});
afterAll(() => api.stop());

const UNKNOWN = { path: '/sign-in', state: { error: 'visit_unknown' } };
const NOT_PROVED = { path: '/sign-in', state: { error: 'not_proved' } };
const form = { email: 'anna@example.test', subject: '4711' };

describe.each(PROVIDERS)('at %s', (provider) => {
  test('a browser that was not sent there is not signed in, with another’s state or with none', async () => {
    const attacker = api.browser();
    const callback = await attacker.visitProvider(await attacker.begin(provider), form);
    const victim = api.browser();
    expect(await victim.comeBack(callback)).toEqual(UNKNOWN);
    // The state was seen by the wrong browser: it is void for the right one, too.
    expect(await attacker.comeBack(callback)).toEqual(UNKNOWN);
    await victim.begin(provider);
    const fresh = await attacker.visitProvider(await attacker.begin(provider), form);
    expect(await victim.comeBack(fresh)).toEqual(UNKNOWN);
    const withoutState = new URL(callback);
    withoutState.searchParams.delete('state');
    expect(await victim.comeBack(withoutState)).toEqual(UNKNOWN);
  });

  test('a callback is good once', async () => {
    const browser = api.browser();
    const callback = await browser.visitProvider(await browser.begin(provider), form);
    expect((await browser.comeBack(callback)).state.state).toBe('terms_required');
    expect(await browser.comeBack(callback)).toEqual(UNKNOWN);
  });

  test('a code that was used, invented, or made for another visit is refused', async () => {
    const browser = api.browser();
    const first = await browser.visitProvider(await browser.begin(provider), form);
    await browser.comeBack(first);
    for (const code of [first.searchParams.get('code') ?? '', 'invented']) {
      const callback = await browser.visitProvider(await browser.begin(provider), form);
      callback.searchParams.set('code', code);
      expect(await browser.comeBack(callback)).toEqual(NOT_PROVED);
    }
    // PKCE: the verifier belongs to the visit, so a code stolen from another browser redeems nothing.
    const other = api.browser();
    const stolen = await other.visitProvider(await other.begin(provider), form);
    const callback = await browser.visitProvider(await browser.begin(provider), form);
    callback.searchParams.set('code', stolen.searchParams.get('code') ?? '');
    expect(await browser.comeBack(callback)).toEqual(NOT_PROVED);
  });

  test('a visit to one provider does not end at another', async () => {
    const browser = api.browser();
    const callback = await browser.visitProvider(await browser.begin(provider), form);
    callback.pathname = `/v1/sign-in/${provider === 'google' ? 'gitlab' : 'google'}/callback`;
    expect(await browser.comeBack(callback)).toEqual(UNKNOWN);
  });

  test('an overdue visit is not ended', async () => {
    const browser = api.browser();
    const callback = await browser.visitProvider(await browser.begin(provider), form);
    await api.pool.query(`update provider_visit set expires_at = now() - interval '1 second'`);
    expect(await browser.comeBack(callback)).toEqual(UNKNOWN);
  });

  test.each(['https://evil.test/', '//evil.test', '/\\evil.test', '/\t/evil.test', 'javascript:alert(1)', 'tenants'])(
    'nobody is sent on to %j',
    async (returnTo) => {
      const answer = await api
        .browser()
        .call('GET', `/v1/sign-in/${provider}?return_to=${encodeURIComponent(returnTo)}`);
      expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_input' } });
    },
  );

  test('the provider is asked with state, PKCE and the exact address it comes back to', async () => {
    const url = new URL(await api.browser().begin(provider));
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      redirect_uri: `${PORTAL_URL}/v1/sign-in/${provider}/callback`,
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(url.searchParams.has('nonce')).toBe(provider !== 'github');
  });
});

describe.each(['google', 'gitlab'])('an id_token of %s', (provider) => {
  test.each(['foreign_nonce', 'foreign_key', 'foreign_audience', 'expired', 'unsigned'])(
    'with %s is refused',
    async (fault) => {
      const browser = api.browser();
      expect(await browser.signInAt(provider, { ...form, fault })).toEqual(NOT_PROVED);
      expect(await browser.whoAmI()).toBeUndefined();
    },
  );
});

test('a provider that is away or not set up is said to be', async () => {
  const application = { clientId: 'a', clientSecret: 'b' };
  const alone = await startIdentityApi({
    identityProviders: { google: { ...application, issuer: 'http://127.0.0.1:1/google' } },
  });
  try {
    const browser = alone.browser();
    expect(await browser.begin('google')).toBe('/sign-in#error=provider_away');
    expect((await browser.call('GET', '/v1/sign-in/github')).body.code).toBe('provider_unknown');
    expect((await browser.call('GET', '/v1/sign-in/nobody')).status).toBe(422);
  } finally {
    await alone.stop();
  }
});

test('no code, token, state or client secret shows in the log', () => {
  const log = api.log.join('');
  expect(log).not.toContain('secret-of-the-client-of-the-tests');
  expect(log).not.toMatch(/code=|access_token|id_token"/);
});
