import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, PORTAL_URL, startApi } from '../testing/api.ts';
import { Browser } from './testing/browser.ts';
import { begin, cameBack, chatOf, ISSUER, signInTo } from './testing/chat.ts';

let api: Api;
const replica = () => api.controlPlane.url;
const acme = chatOf('acme', replica);

beforeAll(async () => {
  api = await startApi();
  await api.tenant('acme', { oidc: acme.registration });
});
afterAll(() => api.stop());

describe('a member who is signed in at the portal', () => {
  test('comes into the chat without a question, which learns who it is', async () => {
    const ada = await api.signedIn('ada@example.test', { name: 'Ada Example', language: 'de' });
    await api.belongs(ada, 'acme', 'owner');
    const config = await acme.configure();
    const tokens = await signInTo(acme, config, new Browser(replica, ada.cookie));
    expect(tokens.claims()).toMatchObject({
      iss: ISSUER,
      aud: 'tenant-acme',
      sub: ada.id,
      email: 'ada@example.test',
      email_verified: true,
      name: 'Ada Example',
      locale: 'de',
      roles: ['user'],
      groups: ['owner'],
      sid: expect.any(String),
    });
    const { body: audit } = await api.admin('GET', '/v1/tenants/acme/audit');
    expect(audit.items).toContainEqual(
      expect.objectContaining({ action: 'chat.signed_in', actor: expect.objectContaining({ id: ada.id }) }),
    );
    const info = await openid.fetchUserInfo(config, tokens.access_token, ada.id);
    expect(info).toMatchObject({ sub: ada.id, email: 'ada@example.test', roles: ['user'], groups: ['owner'] });
  });

  test('is sent to the portal first when not signed in, and comes back to the same place', async () => {
    const eve = await api.signedIn('eve@example.test');
    await api.belongs(eve, 'acme', 'member');
    const config = await acme.configure();
    const browser = new Browser(replica);
    const { url, checks } = await begin(acme, config);
    const page = await browser.open(url);
    expect(page.url.origin + page.url.pathname).toBe(`${PORTAL_URL}/sign-in`);
    const back = page.url.searchParams.get('return_to') ?? '';
    expect(back).toMatch(/^\/oidc\/interaction\/[\w-]+$/);
    browser.signIn(eve.cookie);
    const end = await browser.open(PORTAL_URL + back);
    const tokens = await openid.authorizationCodeGrant(config, cameBack(acme, end), checks);
    expect(tokens.claims()?.sub).toBe(eve.id);
  });
});
