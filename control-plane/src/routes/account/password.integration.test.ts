import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { mailsTo, mailTo, newAccount, PASSWORD, signInAs, tokenOf } from '../../testing/account.ts';
import { type Api, PORTAL_URL, startApi } from '../../testing/api.ts';
import { type Browser, openBrowser } from '../../testing/browser.ts';
import { type MailCatcher, startMailCatcher } from '../../testing/receivers.ts';

const EMAIL = 'ada@example.test';
const NEW_PASSWORD = 'another sentence altogether';
const RESETS = '/v1/account/password-resets';
const REDEEM = `${RESETS}/confirmations`;

let databases: TestDatabases;
let mails: MailCatcher;
beforeAll(async () => {
  databases = await startTestDatabases();
  mails = await startMailCatcher();
});
afterAll(async () => {
  await mails.close();
  await databases.stop();
});

let api: Api;
let ada: Browser;
beforeEach(async () => {
  mails.mails.length = 0;
  api = await startApi({ databaseUrl: await databases.clone(), smtpUrl: mails.url });
  ada = await newAccount(api, mails, EMAIL);
  mails.mails.length = 0;
});
afterEach(() => api.stop());

const isSignedIn = async (browser: Browser) => (await browser.call('GET', '/v1/account')).status === 200;
/** As if the last proof lay an hour back. */
const timePasses = () => api.pool.query(`update session set authenticated_at = now() - interval '1 hour'`);
/** Asks for the mail and gives its token. */
async function resetToken(): Promise<string> {
  const before = mailsTo(mails, EMAIL).length;
  expect((await openBrowser(api).call('POST', RESETS, { email: EMAIL })).status).toBe(202);
  return tokenOf(await mailTo(mails, EMAIL, before + 1));
}

describe('a forgotten password', () => {
  test('is set anew by the mail; every device is signed out, a notice goes out, and the old one is void', async () => {
    const mail = await openBrowser(api).call('POST', RESETS, { email: 'Ada@example.test' });
    expect(mail).toMatchObject({ status: 202, body: { status: 'mail_sent' } });
    const token = tokenOf(await mailTo(mails, 'Ada@example.test'));
    const visitor = openBrowser(api);
    expect((await visitor.call('POST', REDEEM, { token, password: NEW_PASSWORD })).status).toBe(204);
    expect(visitor.cookies.size).toBe(0);
    expect(await isSignedIn(ada)).toBe(false);
    expect((await mailTo(mails, EMAIL)).subject).toBe('Your password was changed');
    expect((await signInAs(api, EMAIL)).answer.status).toBe(401);
    expect((await signInAs(api, EMAIL, NEW_PASSWORD)).answer.status).toBe(201);
  });

  test('asked for an address nobody has: the same answer, the same rows, and no mail', async () => {
    const known = await openBrowser(api).call('POST', RESETS, { email: EMAIL });
    await mailTo(mails, EMAIL);
    const unknown = await openBrowser(api).call('POST', RESETS, { email: 'nobody@example.test' });
    expect([unknown.status, unknown.body]).toEqual([known.status, known.body]);
    expect([...unknown.headers.keys()].sort()).toEqual([...known.headers.keys()].sort());
    expect((await api.pool.query('select email from password_reset order by email')).rows).toEqual([
      { email: EMAIL },
      { email: 'nobody@example.test' },
    ]);
    const states = async () => (await api.pool.query('select state from mail order by created_at')).rows;
    await expect
      .poll(states, { timeout: 15_000 })
      .toEqual([{ state: 'sent' }, { state: 'sent' }, { state: 'dropped' }]);
    expect(mails.mails.length).toBe(1);
  });

  test('is redeemed once, however many come at the same time, and ends the other links', async () => {
    const earlier = await resetToken();
    const token = await resetToken();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => openBrowser(api).call('POST', REDEEM, { token, password: NEW_PASSWORD })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(19).fill(404)]);
    const again = await openBrowser(api).call('POST', REDEEM, { token: earlier, password: PASSWORD });
    expect(again).toMatchObject({ status: 404, body: { code: 'token_unknown' } });
  });

  test('is not redeemed late, by a token for something else, or with a bad password', async () => {
    const token = await resetToken();
    const weak = await openBrowser(api).call('POST', REDEEM, { token, password: 'Password1234' });
    expect(weak).toMatchObject({ status: 422, body: { errors: [{ path: 'password' }] } });
    expect((await openBrowser(api).call('POST', '/v1/account/confirmations', { token })).status).toBe(404);
    expect((await openBrowser(api).call('POST', '/v1/account/address-changes/undo', { token })).status).toBe(404);
    await api.pool.query(`update password_reset set expires_at = now() - interval '1 second'`);
    expect((await openBrowser(api).call('POST', REDEEM, { token, password: NEW_PASSWORD })).status).toBe(404);
    expect((await signInAs(api, EMAIL)).answer.status).toBe(201);
  });

  test('does not go around the second factor: it signs nobody in, and ends sign-ins that wait for one', async () => {
    const { rows } = await api.pool.query(`insert into totp (person_id, secret, confirmed_at)
      select id, 'sealed', now() from person returning person_id`);
    await signInAs(api, EMAIL);
    const token = await resetToken();
    await openBrowser(api).call('POST', REDEEM, { token, password: NEW_PASSWORD });
    expect((await api.pool.query('select from pending_sign_in')).rowCount).toBe(0);
    const { answer } = await signInAs(api, EMAIL, NEW_PASSWORD);
    expect(answer).toMatchObject({ status: 202, body: { status: 'second_factor_required' } });
    expect(rows.length).toBe(1);
  });

  test('lets the owner in at once although a stranger has been guessing', async () => {
    for (let number = 1; number <= 6; number += 1) await signInAs(api, EMAIL, 'not the password');
    await api.pool.query(
      `update throttle set blocked_until = now() + interval '1 hour' where rule = 'sign-in.account'`,
    );
    expect((await signInAs(api, EMAIL)).answer.status).toBe(429);
    const token = await resetToken();
    await openBrowser(api).call('POST', REDEEM, { token, password: NEW_PASSWORD });
    expect((await signInAs(api, EMAIL, NEW_PASSWORD)).answer.status).toBe(201);
  });
});

describe('a change of password', () => {
  const change = (body: object, browser = ada) => browser.call('PUT', '/v1/account/password', body);

  test('needs the present one, keeps this device signed in and no other, and is told by mail', async () => {
    const { browser: phone } = await signInAs(api, EMAIL);
    expect((await change({ presentPassword: PASSWORD, newPassword: NEW_PASSWORD })).status).toBe(204);
    expect([await isSignedIn(ada), await isSignedIn(phone)]).toEqual([true, false]);
    expect((await mailTo(mails, EMAIL)).subject).toBe('Your password was changed');
    expect((await signInAs(api, EMAIL, NEW_PASSWORD)).answer.status).toBe(201);
  });

  test('with a wrong or missing one changes nothing, and guessing is slowed down as at sign-in', async () => {
    const missing = await change({ newPassword: NEW_PASSWORD });
    expect(missing).toMatchObject({ status: 422, body: { errors: [{ path: 'presentPassword' }] } });
    for (let number = 1; number <= 5; number += 1) {
      const wrong = await change({ presentPassword: 'not the password', newPassword: NEW_PASSWORD });
      expect(wrong).toMatchObject({ status: 401, body: { code: 'sign_in_refused' } });
    }
    await api.pool.query(
      `update throttle set blocked_until = now() + interval '1 hour' where blocked_until is not null`,
    );
    expect((await change({ presentPassword: PASSWORD, newPassword: NEW_PASSWORD })).status).toBe(429);
    expect((await signInAs(api, EMAIL)).answer.status).toBe(429);
  });

  test('from another site is refused although the cookie comes along', async () => {
    const body = { presentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    const answer = await ada.call('PUT', '/v1/account/password', body, { origin: 'https://evil.test' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'cross_site' } });
  });

  test('of somebody who has none sets the first, after a recent sign-in', async () => {
    await api.pool.query('update person set password_hash = null');
    await timePasses();
    const late = await change({ newPassword: NEW_PASSWORD });
    expect(late).toMatchObject({ status: 403, body: { code: 'reauthentication_required' } });
    await api.pool.query('update session set authenticated_at = now()');
    expect((await change({ newPassword: NEW_PASSWORD })).status).toBe(204);
    expect((await signInAs(api, EMAIL, NEW_PASSWORD)).answer.status).toBe(201);
  });
});

describe('a proof of who one is', () => {
  test('by the password makes sensitive operations possible again', async () => {
    await timePasses();
    const body = { email: 'new@example.test' };
    const refused = await ada.call('POST', '/v1/account/address-changes', body);
    expect(refused).toMatchObject({ status: 403, body: { code: 'reauthentication_required' } });
    const wrong = await ada.call('POST', '/v1/account/reauthentications', { password: 'not the password' });
    expect(wrong.status).toBe(401);
    expect((await ada.call('POST', '/v1/account/address-changes', body)).status).toBe(403);
    expect((await ada.call('POST', '/v1/account/reauthentications', { password: PASSWORD })).status).toBe(204);
    expect((await ada.call('POST', '/v1/account/address-changes', body)).status).toBe(202);
  });
});

test('a profile changes name and language, and nothing else can be slipped in', async () => {
  const changed = await ada.call('PATCH', '/v1/account', { name: ' Ada Lovelace ', language: 'de' });
  expect(changed).toMatchObject({ status: 200, body: { name: 'Ada Lovelace', language: 'de', email: EMAIL } });
  const slipped = await ada.call('PATCH', '/v1/account', { platformAdmin: true });
  expect(slipped).toMatchObject({ status: 422, body: { errors: [{ path: 'platformAdmin' }] } });
  expect((await ada.call('PATCH', '/v1/account', { name: 'two\nlines' })).status).toBe(422);
});

test('an account shows the tenants its person belongs to, and no others', async () => {
  await api.tenant('demo', { displayName: 'Demo GmbH', host: 'demo.example.test' });
  await api.tenant('foreign');
  const { id } = (await ada.call('GET', '/v1/account')).body;
  await api.belongs({ id, email: EMAIL, token: '', cookie: '' }, 'demo', 'owner');
  expect((await ada.call('GET', '/v1/account')).body.memberships).toEqual([
    { tenant: 'demo', displayName: 'Demo GmbH', role: 'owner', state: 'open', host: 'demo.example.test' },
  ]);
});

test('every link of a mail leads to the portal, with its token where no server sees it', async () => {
  await resetToken();
  const { text } = await mailTo(mails, EMAIL);
  const links = text.match(/https?:\/\/\S+/g) ?? [];
  expect(links.length).toBe(1);
  for (const link of links) {
    const url = new URL(link);
    expect([url.origin, url.pathname, url.search]).toEqual([PORTAL_URL, '/reset', '']);
    expect(url.hash).toMatch(/^#token=[\w-]{43}$/);
  }
});
