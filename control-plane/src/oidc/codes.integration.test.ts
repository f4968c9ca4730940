import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, startApi, type TestPerson } from '../testing/api.ts';
import { Browser } from './testing/browser.ts';
import { askForTokens, begin, cameBack, chatOf, codeFor } from './testing/chat.ts';

let api: Api;
let ada: TestPerson;
let config: openid.Configuration;
const replica = () => api.controlPlane.url;
const acme = chatOf('acme', replica);
const other = chatOf('other', replica);
const browser = () => new Browser(replica, ada.cookie);

beforeAll(async () => {
  api = await startApi();
  await api.tenant('acme', { oidc: acme.registration });
  await api.tenant('other', { oidc: other.registration });
  ada = await api.signedIn('ada@example.test');
  await api.belongs(ada, 'acme', 'member');
  config = await acme.configure();
});
afterAll(() => api.stop());

/** What the browser shows or where it was sent, for a request that is wrong. */
async function refusal(more: Record<string, string | undefined>): Promise<string> {
  const { url } = await begin(acme, config);
  for (const [name, value] of Object.entries(more)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  const page = await browser().open(url);
  if (page.status !== 0) return page.body;
  const said = new URLSearchParams(page.url.search || page.url.hash.slice(1));
  return `${said.get('error')}: ${said.get('error_description')}`;
}

describe('a request for a code', () => {
  test.each([
    ['another host', 'https://evil.example.test/oauth/oidc/callback'],
    ['another path', 'https://acme.example.test/oauth/oidc/callback/more'],
    ['the host of another tenant', 'https://other.example.test/oauth/oidc/callback'],
    ['no encryption', 'http://acme.example.test/oauth/oidc/callback'],
    ['a question mark more', 'https://acme.example.test/oauth/oidc/callback?'],
  ])('that is to go back to %s goes nowhere', async (_what, redirect) => {
    expect(await refusal({ redirect_uri: redirect })).toContain('invalid_redirect_uri');
  });

  test('without PKCE, or with one that shows its secret, is refused', async () => {
    const none = { code_challenge: undefined, code_challenge_method: undefined };
    expect(await refusal(none)).toMatch(/^invalid_request: .*PKCE/i);
    expect(await refusal({ code_challenge_method: 'plain' })).toMatch(/^invalid_request: .*code_challenge_method/);
    expect(await refusal({ code_challenge_method: undefined })).toMatch(/^invalid_request: /);
  });

  test('of a client nobody registered, or for tokens in the address, is refused', async () => {
    expect(await refusal({ client_id: 'tenant-nobody' })).toContain('invalid_client');
    expect(await refusal({ client_id: 'acme' })).toContain('invalid_client');
    expect(await refusal({ response_type: 'token id_token' })).toMatch(/unsupported_response_type/);
  });
});

describe('a code', () => {
  test('is redeemed by exactly one of twenty who come at once', async () => {
    const { form } = await codeFor(acme, config, browser());
    const answers = await Promise.all(Array.from({ length: 20 }, () => askForTokens(replica, acme, form)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const { status, body } of answers) if (status !== 200) expect(body.error).toBe('invalid_grant');
  });

  test('that is used again is refused, and what was got for it is taken back', async () => {
    const { form } = await codeFor(acme, config, browser());
    const first = await askForTokens(replica, acme, form);
    expect(first.status).toBe(200);
    expect((await askForTokens(replica, acme, form)).body.error).toBe('invalid_grant');
    const refresh = { grant_type: 'refresh_token', refresh_token: first.body.refresh_token ?? '' };
    expect((await askForTokens(replica, acme, refresh)).body.error).toBe('invalid_grant');
    await expect(openid.fetchUserInfo(config, first.body.access_token ?? '', ada.id)).rejects.toThrow();
  });

  test('is nothing without the secret that was hashed for it', async () => {
    const { form } = await codeFor(acme, config, browser());
    const { code_verifier: _, ...without } = form;
    expect((await askForTokens(replica, acme, without)).body.error).toBe('invalid_grant');
    const wrong = { ...form, code_verifier: openid.randomPKCECodeVerifier() };
    expect((await askForTokens(replica, acme, wrong)).body.error).toBe('invalid_grant');
  });

  test('is nothing for the chat of another tenant, whatever it calls itself', async () => {
    const { form } = await codeFor(acme, config, browser());
    expect((await askForTokens(replica, other, form)).body.error).toBe('invalid_grant');
    const disguised = { clientId: acme.clientId, secret: other.secret };
    expect(await askForTokens(replica, disguised, form)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    // Nor is the hash good for anything, should it ever be read somewhere.
    const hashed = { clientId: acme.clientId, secret: acme.registration.clientSecretSha256 };
    expect((await askForTokens(replica, hashed, form)).status).toBe(401);
    expect(
      (await askForTokens(replica, { clientId: acme.clientId, secret: '' }, form)).body.access_token,
    ).toBeUndefined();
    expect((await askForTokens(replica, acme, form)).status).toBe(200);
  });

  test('that has expired, or is to go elsewhere, is refused', async () => {
    const { form } = await codeFor(acme, config, browser());
    const elsewhere = { ...form, redirect_uri: 'https://acme.example.test/oauth/oidc/login/callback' };
    expect((await askForTokens(replica, acme, elsewhere)).body.error).toBe('invalid_grant');
    await api.pool.query(
      `update oidc_record set payload = jsonb_set(payload, '{exp}', to_jsonb(extract(epoch from now())::int - 1))
       where model = 'AuthorizationCode' and consumed_at is null`,
    );
    expect((await askForTokens(replica, acme, form)).body.error).toBe('invalid_grant');
  });

  test('and every token lie in the database as hashes alone', async () => {
    const { code, form } = await codeFor(acme, config, browser());
    const { body } = await askForTokens(replica, acme, form);
    const { rows } = await api.pool.query<{ text: string }>('select r::text as text from oidc_record r');
    const all = rows.map(({ text }) => text).join('\n');
    for (const secret of [code, body.access_token, body.refresh_token]) expect(all).not.toContain(secret);
    expect(api.log.join('')).not.toContain(code);
  });
});

test('an answer that was made for another chat does not pass there', async () => {
  const { url, checks } = await begin(acme, config);
  const back = cameBack(acme, await browser().open(url));
  expect(back.searchParams.get('iss')).toBe('https://portal.example.test/oidc');
  const forged = new URL(back);
  forged.searchParams.set('iss', 'https://evil.example.test');
  await expect(openid.authorizationCodeGrant(config, forged, checks)).rejects.toThrow();
  const wrongState = { ...checks, expectedState: 'another' };
  await expect(openid.authorizationCodeGrant(config, back, wrongState)).rejects.toThrow();
});
