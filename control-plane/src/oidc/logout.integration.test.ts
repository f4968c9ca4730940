import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import * as openid from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { SESSION_COOKIE } from '../identity/session/session-cookie.ts';
import { type Api, PORTAL_URL, startApi, type TestPerson } from '../testing/api.ts';
import { type HookReceiver, startHookReceiver } from '../testing/receivers.ts';
import { logOutOfChat } from './log-out-of-chat.ts';
import { Browser } from './testing/browser.ts';
import { askForTokens, begin, chatOf, fetchFrom, ISSUER, signInTo } from './testing/chat.ts';

const PATIENCE = { timeout: 20_000, interval: 50 };
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

let databases: TestDatabases;
let databaseUrl: string;
let api: Api;
let receiver: HookReceiver;
const replica = () => api.controlPlane.url;
let acme: ReturnType<typeof chatOf>;
let config: openid.Configuration;
let people = 0;

beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

beforeEach(async () => {
  databaseUrl = await databases.clone();
  receiver = await startHookReceiver();
  api = await startApi({ databaseUrl, logoutPauseMs: 50 });
  acme = chatOf('acme', replica, `${receiver.url}/oauth/backchannel-logout`);
  await api.tenant('acme', { oidc: acme.registration });
  config = await acme.configure();
});
afterEach(async () => {
  await api.stop();
  await receiver.close();
});

async function inTheChat(): Promise<{ person: TestPerson; browser: Browser; idToken: string; sid: unknown }> {
  people += 1;
  const person = await api.signedIn(`person-${people}@example.test`);
  await api.belongs(person, 'acme', 'member');
  const browser = new Browser(replica, person.cookie);
  const tokens = await signInTo(acme, config, browser);
  return { person, browser, idToken: tokens.id_token ?? '', sid: tokens.claims()?.sid };
}

/** The logout tokens a chat has heard, each verified as the specification demands. */
async function heard(from: HookReceiver = receiver) {
  const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`), { [customFetch]: fetchFrom(replica) as never });
  return Promise.all(
    from.hooks.map(async ({ path, body }) => {
      expect(path).toBe('/oauth/backchannel-logout');
      const token = new URLSearchParams(body).get('logout_token') ?? '';
      const options = { issuer: ISSUER, audience: 'tenant-acme', typ: 'logout+jwt', algorithms: ['RS256'] };
      return (await jwtVerify(token, keys, options)).payload;
    }),
  );
}

describe('a chat is told', () => {
  test('that a member was removed, whom and which sign-in', async () => {
    const { person, sid } = await inTheChat();
    await api.pool.query('delete from membership where person_id = $1', [person.id]);
    await expect.poll(() => receiver.hooks.length, PATIENCE).toBe(1);
    const [token] = await heard();
    expect(token).toMatchObject({ sub: person.id, sid, events: { [EVENT]: {} }, jti: expect.any(String) });
    expect(token).not.toHaveProperty('nonce');
  });

  test.each([
    ['a member lost the seat', `update membership set role = 'billing', member_id = null where person_id = $1`],
    ['a session at the portal was revoked', 'update session set revoked_at = now() where person_id = $1'],
    ['a person was locked', `update person set state = 'locked' where id = $1`],
  ])('that %s', async (_what, statement) => {
    const { person } = await inTheChat();
    await api.pool.query(statement, [person.id]);
    await expect.poll(() => receiver.hooks.length, PATIENCE).toBe(1);
    expect((await heard()).map(({ sub }) => sub)).toEqual([person.id]);
  });

  test('nothing of a session that never came into it, nor of one that only became an owner', async () => {
    const { person } = await inTheChat();
    await api.pool.query(`update membership set role = 'owner' where person_id = $1`, [person.id]);
    const stranger = await api.signedIn('stranger@example.test');
    await api.pool.query('update session set revoked_at = now() where person_id = $1', [stranger.id]);
    const { rows } = await api.pool.query('select count(*)::int as count from oidc_logout');
    expect(rows[0].count).toBe(0);
  });

  test('of a person whom somebody else signs out of it, in their transaction', async () => {
    const { person } = await inTheChat();
    const { rows } = await api.pool.query<{ id: bigint }>(`select id from tenant where name = 'acme'`);
    await logOutOfChat(api.pool, rows[0]?.id ?? 0n, person.id);
    await expect.poll(async () => (await heard()).map(({ sub }) => sub), PATIENCE).toEqual([person.id]);
  });
});

describe('a chat that is away', () => {
  test('is told when it is back, though we were away too', async () => {
    const { person } = await inTheChat();
    const port = Number(new URL(receiver.url).port);
    await receiver.close();
    await api.pool.query('delete from membership where person_id = $1', [person.id]);
    const failed = async () =>
      (await api.pool.query('select attempts, state, last_error from oidc_logout where attempts > 1')).rows[0];
    await expect.poll(failed, PATIENCE).toMatchObject({ state: 'pending', last_error: expect.any(String) });
    await api.stop();
    api = await startApi({ databaseUrl, logoutPauseMs: 50 });
    receiver = await startHookReceiver(port);
    await expect.poll(() => receiver.hooks.length, PATIENCE).toBe(1);
    expect((await heard())[0]?.sub).toBe(person.id);
    const stored = async () => (await api.pool.query('select state, ended_at from oidc_logout')).rows;
    await expect.poll(stored, PATIENCE).toEqual([{ state: 'heard', ended_at: expect.any(Date) }]);
  });

  test('or answers with an error is told again, and one who sends us elsewhere is not followed', async () => {
    receiver.answers.push(503, 302, 400);
    const { person } = await inTheChat();
    await api.pool.query('update session set revoked_at = now() where person_id = $1', [person.id]);
    const state = async () => (await api.pool.query('select state, attempts from oidc_logout')).rows[0];
    await expect.poll(state, PATIENCE).toEqual({ state: 'heard', attempts: 4 });
    const ids = (await heard()).map(({ jti }) => jti);
    expect(new Set(ids).size).toBe(4);
  });

  test('for longer than its sign-ins live is left alone', async () => {
    receiver.answers.push(...Array.from({ length: 100 }, () => 503));
    const { person } = await inTheChat();
    await api.pool.query('update session set revoked_at = now() where person_id = $1', [person.id]);
    await api.pool.query(`update oidc_logout set created_at = now() - interval '25 hours'`);
    const state = async () => (await api.pool.query('select state from oidc_logout')).rows[0];
    await expect.poll(state, PATIENCE).toEqual({ state: 'given_up' });
  });
});

describe('signing out of a chat', () => {
  /** Where the chat sends a browser that wants to leave, and what comes of it. */
  async function leave(browser: Browser, parameters: Record<string, string>) {
    const url = openid.buildEndSessionUrl(config, parameters);
    const page = await browser.open(url);
    const xsrf = /name="xsrf" value="([0-9a-f]+)"/.exec(page.body)?.[1] ?? '';
    return { page, confirm: () => browser.open(`${ISSUER}/session/end/confirm`, { xsrf, logout: 'yes' }) };
  }

  test('signs out of the portal and of every chat, and leads to the portal', async () => {
    const { person, browser, idToken } = await inTheChat();
    const { page, confirm } = await leave(browser, {
      id_token_hint: idToken,
      post_logout_redirect_uri: `${PORTAL_URL}/`,
    });
    // It sends itself: the chat has said who leaves.
    expect(page.body).toContain('submit()</script>');
    expect(page.body).toContain('name="logout" value="yes"');
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-/);
    const end = await confirm();
    expect(end.url.href).toBe(`${PORTAL_URL}/`);
    expect(browser.holds(SESSION_COOKIE)).toBe(false);
    expect((await api.as(person, 'GET', '/v1/me')).status).not.toBe(200);
    await expect.poll(async () => (await heard()).map(({ sub }) => sub), PATIENCE).toEqual([person.id]);
    const again = await browser.open((await begin(acme, config)).url);
    expect(again.url.pathname).toBe('/sign-in');
  });

  test('is asked about where the chat does not say, or cannot prove, who leaves', async () => {
    const { browser } = await inTheChat();
    const stranger = await inTheChat();
    for (const parameters of [{}, { id_token_hint: stranger.idToken }] as Record<string, string>[]) {
      const { page } = await leave(browser, parameters);
      expect(page.body).not.toContain('<script>');
      expect(page.body).toContain('Stay signed in');
    }
    expect(browser.holds(SESSION_COOKIE)).toBe(true);
  });

  test('does not begin at a forged token, lead anywhere else, or happen from another site', async () => {
    const { person, browser, idToken } = await inTheChat();
    const [, payload = '', signature = ''] = idToken.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    const hmac = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');
    const changed = Buffer.from(JSON.stringify({ ...decodeJwt(idToken), sub: 'another' })).toString('base64url');
    const [header = ''] = idToken.split('.');
    const forged = [`${none}.${payload}.`, `${hmac}.${payload}.${signature}`, `${header}.${changed}.${signature}`];
    for (const hint of forged) {
      const { page } = await leave(browser, { id_token_hint: hint });
      expect(page.status).toBe(400);
      expect(page.body).toContain('invalid_request');
    }
    const elsewhere = { id_token_hint: idToken, post_logout_redirect_uri: 'https://evil.example.test/' };
    expect((await leave(browser, elsewhere)).page.status).toBe(400);
    const unproven = await browser.open(`${ISSUER}/session/end/confirm`, { xsrf: 'guessed', logout: 'yes' });
    expect(unproven.status).toBe(400);
    expect(browser.holds(SESSION_COOKIE)).toBe(true);
    const { rows } = await api.pool.query('select revoked_at from session where person_id = $1', [person.id]);
    expect(rows[0].revoked_at).toBeNull();
  });

  test('takes its tokens along', async () => {
    const { browser, idToken, person } = await inTheChat();
    const tokens = await signInTo(acme, config, browser);
    await (await leave(browser, { id_token_hint: idToken })).confirm();
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
    expect((await askForTokens(replica, acme, form)).body.error).toBe('invalid_grant');
    await expect(openid.fetchUserInfo(config, tokens.access_token, person.id)).rejects.toThrow();
  });
});
