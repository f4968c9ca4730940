import type * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, OPERATOR_KEY, PORTAL_URL, startApi, type TestPerson } from '../testing/api.ts';
import { Browser } from './testing/browser.ts';
import { begin, chatOf, ISSUER, signInTo } from './testing/chat.ts';

let api: Api;
let config: openid.Configuration;
const replica = () => api.controlPlane.url;
const acme = chatOf('acme', replica);
const other = chatOf('other', replica);

beforeAll(async () => {
  api = await startApi();
  await api.tenant('acme', { oidc: acme.registration });
  await api.tenant('other', { oidc: other.registration });
  config = await acme.configure();
});
afterAll(() => api.stop());

/** What the chat is told when this browser comes from it. */
async function told(browser: Browser, more: Record<string, string> = {}, chat = acme): Promise<string> {
  const { url } = await begin(chat, chat === acme ? config : await chat.configure(), more);
  const { searchParams, origin, pathname } = (await browser.open(url)).url;
  if (origin === PORTAL_URL) return pathname;
  return `${searchParams.get('error')}: ${searchParams.get('error_description')}`;
}

const browserOf = ({ cookie }: TestPerson) => new Browser(replica, cookie);

describe('a chat lets nobody in', () => {
  test('who is no member of its tenant, be it of another one', async () => {
    const mallory = await api.signedIn('mallory@example.test');
    await api.belongs(mallory, 'other', 'owner');
    expect(await told(browserOf(mallory))).toMatch(/^access_denied: .*not a member/);
    const admin = await api.signedIn('admin@example.test', { platformAdmin: true });
    expect(await told(browserOf(admin))).toMatch(/^access_denied: .*not a member/);
  });

  test('whose role has no seat', async () => {
    const bill = await api.signedIn('bill@example.test');
    await api.belongs(bill, 'acme', 'billing');
    expect(await told(browserOf(bill))).toMatch(/^access_denied: .*no seat/);
  });

  test('whose address was never confirmed', async () => {
    const una = await api.signedIn('una@example.test');
    await api.belongs(una, 'acme', 'member');
    await api.pool.query('update person set email_verified_at = null where id = $1', [una.id]);
    expect(await told(browserOf(una))).toMatch(/^access_denied: .*confirm/);
  });

  test('who is locked: for them there is no session', async () => {
    const lock = await api.signedIn('lock@example.test');
    await api.belongs(lock, 'acme', 'member');
    await api.pool.query(`update person set state = 'locked' where id = $1`, [lock.id]);
    expect(await told(browserOf(lock))).toBe('/sign-in');
  });

  test('while it is suspended or closed', async () => {
    const ada = await api.signedIn('ada@example.test');
    await api.belongs(ada, 'other', 'owner');
    expect(await told(browserOf(ada), {}, other)).toBe('null: null');
    await api.pool.query(
      `update tenant set registration = jsonb_set(registration, '{suspended}', 'true') where name = 'other'`,
    );
    expect(await told(browserOf(ada), {}, other)).toMatch(/^access_denied: .*suspended/);
    expect((await api.call('DELETE', '/v1/tenants/other', OPERATOR_KEY)).status).toBe(204);
    const { url } = await begin(other, await other.configure());
    expect((await browserOf(ada).open(url)).body).toContain('invalid_client');
  });

  test('silently when it must not ask', async () => {
    expect(await told(new Browser(replica), { prompt: 'none' })).toMatch(/^login_required/);
    const max = await api.signedIn('max@example.test');
    await api.belongs(max, 'acme', 'member');
    const browser = browserOf(max);
    await signInTo(acme, config, browser);
    expect(await told(browser, { prompt: 'none' })).toBe('null: null');
    await api.pool.query('delete from membership where person_id = $1', [max.id]);
    expect(await told(browser, { prompt: 'none' })).toMatch(/^access_denied/);
    expect(await told(browser)).toMatch(/^access_denied: .*not a member/);
  });
});

describe('a chat that wants a fresh sign-in', () => {
  test('gets one, or is told that this one is old', async () => {
    const old = await api.signedIn('old@example.test');
    await api.belongs(old, 'acme', 'member');
    expect(await told(browserOf(old), { prompt: 'login' })).toBe('null: null');
    await api.pool.query(`update session set authenticated_at = now() - interval '1 hour' where person_id = $1`, [
      old.id,
    ]);
    expect(await told(browserOf(old), { prompt: 'login' })).toMatch(/^login_required/);
    expect(await told(browserOf(old), { max_age: '600' })).toMatch(/^login_required/);
    expect(await told(browserOf(old), { max_age: '7200' })).toBe('null: null');
  });
});

describe('a browser that changes hands', () => {
  test('lets nobody in as the one before', async () => {
    const [first, second] = [await api.signedIn('first@example.test'), await api.signedIn('second@example.test')];
    await api.belongs(first, 'acme', 'member');
    const browser = browserOf(first);
    expect((await signInTo(acme, config, browser)).claims()?.sub).toBe(first.id);
    browser.signIn(second.cookie);
    expect(await told(browser)).toMatch(/^access_denied/);
    await api.belongs(second, 'acme', 'member');
    expect((await signInTo(acme, config, browser)).claims()?.sub).toBe(second.id);
  });

  test('lets nobody in once its session at the portal is revoked', async () => {
    const gone = await api.signedIn('gone@example.test');
    await api.belongs(gone, 'acme', 'member');
    const browser = browserOf(gone);
    await signInTo(acme, config, browser);
    await api.pool.query('update session set revoked_at = now() where person_id = $1', [gone.id]);
    expect(await told(browser)).toBe('/sign-in');
    expect(await told(browser, { prompt: 'none' })).toMatch(/^login_required/);
  });
});

describe('the discovery document', () => {
  test('names the issuer, whatever a request calls us', async () => {
    const spoofed = {
      host: 'evil.example.test',
      'x-forwarded-host': 'evil.example.test',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example.test',
    };
    for (const path of ['/oidc/.well-known/openid-configuration', '/oidc/cluster/.well-known/openid-configuration']) {
      const { body } = await api.call('GET', path, undefined, undefined, spoofed);
      expect(body.issuer).toBe(ISSUER);
      expect(JSON.stringify(body)).not.toContain('evil');
      expect(body.authorization_endpoint).toBe(`${ISSUER}/auth`);
      expect(body.end_session_endpoint).toBe(`${ISSUER}/session/end`);
    }
  });

  test('of pods keeps what they call themselves inside the cluster, and works', async () => {
    const inside = 'http://control-plane.cloudfreedom-system.svc:8080/oidc';
    const { body } = await api.call('GET', '/oidc/cluster/.well-known/openid-configuration', undefined);
    expect(body).toMatchObject({
      token_endpoint: `${inside}/token`,
      userinfo_endpoint: `${inside}/me`,
      jwks_uri: `${inside}/jwks`,
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
      backchannel_logout_supported: true,
    });
    expect((await api.call('GET', '/oidc/jwks', undefined)).body.keys[0]).not.toHaveProperty('d');
  });
});

test('an address that begins sign-ins without end has to wait', async () => {
  const busy = await startApi({ quotas: { address: 3 } });
  try {
    const statuses = [];
    for (let call = 0; call < 5; call += 1) statuses.push((await busy.call('GET', '/oidc/jwks', undefined)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const { headers, body } = await busy.call('GET', '/oidc/auth', undefined);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(body.error).toBe('temporarily_unavailable');
  } finally {
    await busy.stop();
  }
});

test('an address below /oidc that is nothing says so, and pages load nothing from anywhere', async () => {
  expect((await api.call('GET', '/oidc/nothing', undefined)).status).toBe(404);
  const { status, headers, body } = await api.call('GET', '/oidc/auth?client_id=x', undefined, undefined, {
    accept: 'text/html',
  });
  expect(status).toBe(400);
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(body).not.toMatch(/(src|href)="(?!https:\/\/portal\.example\.test)/);
  const lost = await api.call('GET', '/oidc/interaction/unknown', undefined);
  expect(lost.status).toBe(400);
  expect(lost.body).toContain('https://portal.example.test/');
});
