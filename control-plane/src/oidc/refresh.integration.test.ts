import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, startApi } from '../testing/api.ts';
import { Browser } from './testing/browser.ts';
import { askForTokens, chatOf, signInTo } from './testing/chat.ts';

let api: Api;
let config: openid.Configuration;
const replica = () => api.controlPlane.url;
const acme = chatOf('acme', replica);
const other = chatOf('other', replica);
let people = 0;

beforeAll(async () => {
  api = await startApi();
  await api.tenant('acme', { oidc: acme.registration });
  await api.tenant('other', { oidc: other.registration });
  config = await acme.configure();
});
afterAll(() => api.stop());

/** A member of acme who has come into its chat. */
async function inTheChat() {
  people += 1;
  const person = await api.signedIn(`person-${people}@example.test`);
  await api.belongs(person, 'acme', 'member');
  const browser = new Browser(replica, person.cookie);
  const tokens = await signInTo(acme, config, browser);
  return { person, browser, tokens, refreshToken: tokens.refresh_token ?? '' };
}

const refresh = (refreshToken: string, chat = acme) =>
  askForTokens(replica, chat, { grant_type: 'refresh_token', refresh_token: refreshToken });

describe('a refresh token', () => {
  test('is good once, for new tokens of the same person', async () => {
    const { person, refreshToken } = await inTheChat();
    const tokens = await openid.refreshTokenGrant(config, refreshToken);
    expect(tokens.claims()).toMatchObject({ sub: person.id, roles: ['user'], groups: ['member'] });
    expect(tokens.refresh_token).not.toBe(refreshToken);
    await openid.fetchUserInfo(config, tokens.access_token, person.id);
  });

  test('that comes a second time was stolen by one of the two: both are out', async () => {
    const { refreshToken } = await inTheChat();
    const first = await refresh(refreshToken);
    expect(first.status).toBe(200);
    expect((await refresh(refreshToken)).body.error).toBe('invalid_grant');
    expect((await refresh(first.body.refresh_token ?? '')).body.error).toBe('invalid_grant');
    const me = await api.call('GET', '/oidc/me', first.body.access_token);
    expect(me.status).toBe(401);
  });

  test('that comes twenty times at once is good once', async () => {
    const { refreshToken } = await inTheChat();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshToken)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is nothing for another tenant’s chat', async () => {
    const { refreshToken } = await inTheChat();
    expect((await refresh(refreshToken, other)).body.error).toBe('invalid_grant');
    expect((await refresh(refreshToken)).status).toBe(200);
  });
});

describe('tokens end with what they stand on', () => {
  test.each([
    ['the membership', 'delete from membership where person_id = $1'],
    ['the seat', `update membership set role = 'billing', member_id = null where person_id = $1`],
    ['the session at the portal', 'update session set revoked_at = now() where person_id = $1'],
    ['the session’s time', `update session set expires_at = now() where person_id = $1`],
    ['the person’s account', `update person set state = 'locked' where id = $1`],
  ])('%s', async (_what, statement) => {
    const { person, tokens, refreshToken } = await inTheChat();
    await api.pool.query(statement, [person.id]);
    expect((await refresh(refreshToken)).body.error).toBe('invalid_grant');
    const me = await api.call('GET', '/oidc/me', tokens.access_token);
    expect(me.status).toBe(401);
  });

  test('and with the tenant', async () => {
    const { refreshToken } = await inTheChat();
    const suspend = (suspended: boolean) =>
      api.pool.query(
        `update tenant set registration = jsonb_set(registration, '{suspended}', $1) where name = 'acme'`,
        [String(suspended)],
      );
    await suspend(true);
    expect((await refresh(refreshToken)).body.error).toBe('invalid_grant');
    await suspend(false);
    expect((await refresh(refreshToken)).status).toBe(200);
  });
});

test('two windows of one browser share a sign-in; a new session at the portal begins another', async () => {
  const { person, browser, refreshToken } = await inTheChat();
  const second = await signInTo(acme, config, browser);
  expect((await refresh(refreshToken)).status).toBe(200);
  expect((await refresh(second.refresh_token ?? '')).status).toBe(200);
  const { rows } = await api.pool.query('select count(*)::int as count from chat_sign_in where person_id = $1', [
    person.id,
  ]);
  expect(rows[0].count).toBe(1);
});
