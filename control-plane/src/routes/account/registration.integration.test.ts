import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { currentTerms } from '../../privacy/terms.ts';
import { mailsTo, mailTo, newAccount, PASSWORD, registration, tokenOf } from '../../testing/account.ts';
import { type Api, PORTAL_URL, startApi } from '../../testing/api.ts';
import { openBrowser } from '../../testing/browser.ts';
import { type MailCatcher, startMailCatcher } from '../../testing/receivers.ts';

const EMAIL = 'ada@example.test';
const REGISTRATIONS = '/v1/account/registrations';
const CONFIRMATIONS = '/v1/account/confirmations';

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
let databaseUrl: string;
beforeEach(async () => {
  mails.mails.length = 0;
  databaseUrl = await databases.clone();
  api = await start();
});
afterEach(() => api.stop());

const start = (more: Parameters<typeof startApi>[0] = {}) =>
  startApi({ databaseUrl, smtpUrl: mails.url, trustedProxies: ['127.0.0.0/8'], ...more });
const people = async () => (await api.pool.query('select email, name, language, platform_admin from person')).rows;

describe('a visitor who registers', () => {
  test('confirms by the mail and is signed in', async () => {
    const browser = openBrowser(api);
    const answer = await browser.call('POST', REGISTRATIONS, registration(EMAIL, { language: 'de' }));
    expect(answer).toMatchObject({ status: 202, body: { status: 'mail_sent' } });
    expect(await people()).toEqual([]);
    const mail = await mailTo(mails, EMAIL);
    expect(mail.subject).toBe('Bitte bestätigen Sie Ihre Adresse');
    expect(mail.text).toContain(`${PORTAL_URL}/confirm#token=${tokenOf(mail)}`);
    const confirmed = await browser.call('POST', CONFIRMATIONS, { token: tokenOf(mail) });
    expect(confirmed).toMatchObject({ status: 201, body: { status: 'signed_in' } });
    expect(await browser.call('GET', '/v1/account')).toMatchObject({
      status: 200,
      body: {
        email: EMAIL,
        name: 'Ada Example',
        language: 'de',
        platformAdmin: false,
        methods: { password: true, secondFactors: [] },
        session: { methods: ['confirmation'] },
        memberships: [],
      },
    });
    const { rows } = await api.pool.query(
      `select person_id, version, accepted_at < p.created_at as before from terms_acceptance t join person p on p.id = person_id`,
    );
    const { version } = await currentTerms();
    expect(rows).toEqual([{ person_id: confirmed.body.personId, version, before: true }]);
  });

  test('gets a mail that loads nothing, in plain text and HTML', async () => {
    await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL, { name: '<img src=x> http://evil.test' }));
    const { text, html } = await mailTo(mails, EMAIL);
    expect(text + html).not.toContain('evil.test');
    expect(html).not.toMatch(/<(img|link|script|iframe|style)\b|url\(|@import/i);
    const addresses = `${text} ${html}`.match(/https?:\/\/[^\s"<#]+/g) ?? [];
    expect(new Set(addresses)).toEqual(new Set([`${PORTAL_URL}/confirm`]));
  });

  test('gets cookies that are for this host, HTTPS and no script', async () => {
    const browser = openBrowser(api);
    const registered = await browser.call('POST', REGISTRATIONS, registration(EMAIL));
    const confirmed = await browser.call('POST', CONFIRMATIONS, { token: tokenOf(await mailTo(mails, EMAIL)) });
    const set = [...registered.headers.getSetCookie(), ...confirmed.headers.getSetCookie()];
    expect(set.map((line) => line.replace(/=[^;]*/, ''))).toEqual([
      '__Host-cloudfreedom-registration; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=86400',
      '__Host-cloudfreedom; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=2592000',
      '__Host-cloudfreedom-registration; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0',
    ]);
  });

  test('gets the mail once more when asked for; the link before it stops working', async () => {
    const browser = openBrowser(api);
    await browser.call('POST', REGISTRATIONS, registration(EMAIL));
    const first = tokenOf(await mailTo(mails, EMAIL));
    expect((await browser.call('POST', `${REGISTRATIONS}/resend`, { email: EMAIL })).status).toBe(202);
    const second = tokenOf(await mailTo(mails, EMAIL, 2));
    expect((await browser.call('POST', CONFIRMATIONS, { token: first })).status).toBe(404);
    expect((await browser.call('POST', CONFIRMATIONS, { token: second })).status).toBe(201);
  });

  test('is refused a password that is short, common, a row of keys or the own name', async () => {
    for (const password of ['elevenchars', 'Password1234', 'qwertzuiopasdf', 'abcabcabcabc', 'ada@example.test']) {
      const answer = await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL, { password }));
      expect(answer, password).toMatchObject({ status: 422, body: { errors: [{ path: 'password' }] } });
    }
    expect(mails.mails).toEqual([]);
  });
});

test('terms that are not in force cannot be accepted', async () => {
  const body = registration(EMAIL, { termsVersion: '1999-01-01' });
  const answer = await openBrowser(api).call('POST', REGISTRATIONS, body);
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'termsVersion' }] } });
});

describe('whether an address is known', () => {
  test('shows in no answer: status, body and headers are the same; the mail tells its owner', async () => {
    await newAccount(api, mails, EMAIL, { language: 'de' });
    const known = await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL));
    const unknown = await openBrowser(api).call('POST', REGISTRATIONS, registration('new@example.test'));
    expect(comparable(known)).toEqual(comparable(unknown));
    expect((await mailTo(mails, EMAIL, 2)).subject).toBe('Sie haben bereits ein Konto');
    expect((await mailTo(mails, 'new@example.test')).subject).toBe('Please confirm your address');
    const resent = (browser = openBrowser(api)) => browser.call('POST', `${REGISTRATIONS}/resend`, { email: EMAIL });
    expect(comparable(await resent())).toMatchObject({ status: 202, body: known.body });
  });

  test('costs the database the same: as many rows of the same kinds', async () => {
    await newAccount(api, mails, EMAIL);
    const counts = async () => {
      const text = 'select (select count(*) from registration) as registrations, (select count(*) from mail) as mails';
      return (await api.pool.query(text)).rows[0];
    };
    const before = await counts();
    await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL));
    const known = await counts();
    await openBrowser(api).call('POST', REGISTRATIONS, registration('new@example.test'));
    const unknown = await counts();
    expect(known.mails - before.mails).toBe(1n);
    expect(known.registrations - before.registrations).toBe(1n);
    expect(unknown.mails - known.mails).toBe(1n);
    expect(unknown.registrations - known.registrations).toBe(1n);
  });
});

describe('a stranger who registers somebody else’s address', () => {
  test('does not get an account by the owner’s click: another browser has to know the password', async () => {
    await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL, { password: 'the stranger knows it' }));
    const token = tokenOf(await mailTo(mails, EMAIL));
    const owner = openBrowser(api);
    const clicked = await owner.call('POST', CONFIRMATIONS, { token });
    expect(clicked).toMatchObject({ status: 403, body: { code: 'password_required' } });
    const guessed = await owner.call('POST', CONFIRMATIONS, { token, password: PASSWORD });
    expect(guessed).toMatchObject({ status: 401, body: { code: 'sign_in_refused' } });
    expect(await people()).toEqual([]);
  });

  test('blocks nobody: the owner registers and confirms, and the stranger’s link is dead', async () => {
    const stranger = openBrowser(api);
    await stranger.call(
      'POST',
      REGISTRATIONS,
      registration(EMAIL, { name: 'Stranger', password: 'the stranger knows it' }),
    );
    const strangersToken = tokenOf(await mailTo(mails, EMAIL));
    const owner = openBrowser(api);
    await owner.call('POST', REGISTRATIONS, registration('ADA@example.test'));
    const token = tokenOf(await mailTo(mails, 'ADA@example.test'));
    expect((await owner.call('POST', CONFIRMATIONS, { token })).status).toBe(201);
    expect((await stranger.call('POST', CONFIRMATIONS, { token: strangersToken })).status).toBe(404);
    expect(await people()).toMatchObject([{ email: 'ADA@example.test', name: 'Ada Example' }]);
  });

  test('cannot fill the owner’s mailbox: after five mails an hour the answer is the same and none is sent', async () => {
    const answers = [];
    for (let number = 1; number <= 7; number += 1) {
      answers.push(await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL)));
    }
    expect(new Set(answers.map((answer) => JSON.stringify(comparable(answer)))).size).toBe(1);
    await mailTo(mails, EMAIL, 5);
    expect((await api.pool.query('select from mail')).rowCount).toBe(5);
    expect(mailsTo(mails, EMAIL).length).toBe(5);
  });
});

describe('a confirmation', () => {
  test('in another browser works with the password of the registration', async () => {
    await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL));
    const token = tokenOf(await mailTo(mails, EMAIL));
    const phone = openBrowser(api);
    expect((await phone.call('POST', CONFIRMATIONS, { token, password: PASSWORD })).status).toBe(201);
    expect((await phone.call('GET', '/v1/account')).status).toBe(200);
  });

  test('that is sent twenty times at once wins exactly once', async () => {
    const browser = openBrowser(api);
    await browser.call('POST', REGISTRATIONS, registration(EMAIL));
    const token = tokenOf(await mailTo(mails, EMAIL));
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        api.call('POST', CONFIRMATIONS, undefined, { token }, { cookie, origin: PORTAL_URL }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(404)]);
    expect((await people()).length).toBe(1);
    expect((await api.pool.query('select from session')).rowCount).toBe(1);
  });

  test('after its time, with an unknown token or from another site, does nothing', async () => {
    const browser = openBrowser(api);
    await browser.call('POST', REGISTRATIONS, registration(EMAIL));
    const token = tokenOf(await mailTo(mails, EMAIL));
    const foreign = await browser.call('POST', CONFIRMATIONS, { token }, { origin: 'https://evil.test' });
    expect(foreign).toMatchObject({ status: 403, body: { code: 'cross_site' } });
    await api.pool.query(`update registration set expires_at = now() - interval '1 second'`);
    const late = await browser.call('POST', CONFIRMATIONS, { token });
    const unknown = await browser.call('POST', CONFIRMATIONS, { token: 'x'.repeat(43) });
    expect(late).toMatchObject({ status: 404, body: { code: 'token_unknown' } });
    expect(comparable(unknown)).toEqual(comparable(late));
    expect((await browser.call('POST', CONFIRMATIONS, { token: 'short' })).status).toBe(422);
    expect(await people()).toEqual([]);
  });
});

test('registrations from one network address are slowed down, whatever the addresses', async () => {
  const from = { 'x-forwarded-for': '203.0.113.7' };
  const register = (number: number) =>
    openBrowser(api).call('POST', REGISTRATIONS, registration(`person-${number}@example.test`), from);
  for (let number = 1; number <= 20; number += 1) expect((await register(number)).status).toBe(202);
  const refused = await register(21);
  expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await openBrowser(api).call('POST', REGISTRATIONS, registration(EMAIL))).status).toBe(202);
});

test('people whom the configuration names administer the platform from their confirmation, or the next start, on', async () => {
  await newAccount(api, mails, EMAIL);
  await api.stop();
  api = await start({ platformAdmins: [EMAIL, 'grace@example.test'] });
  await newAccount(api, mails, 'Grace@example.test');
  await newAccount(api, mails, 'eve@example.test');
  const admins = (await people()).filter((person) => person.platform_admin).map(({ email }) => email);
  expect(admins.sort()).toEqual(['Grace@example.test', EMAIL]);
});

test('no password, token or cookie is in a log line, an answer or the database', async () => {
  const browser = openBrowser(api);
  const answers = [await browser.call('POST', REGISTRATIONS, registration(EMAIL))];
  const token = tokenOf(await mailTo(mails, EMAIL));
  const registrationCookie = [...browser.cookies.values()][0] ?? '';
  answers.push(await browser.call('POST', CONFIRMATIONS, { token, password: PASSWORD }));
  answers.push(
    await browser.call('POST', CONFIRMATIONS, `{"broken": "${token}"`, { 'content-type': 'application/json' }),
  );
  const session = [...browser.cookies.values()][0] ?? '';
  const { rows } = await api.pool.query<{ found: string }>(`
    select query_to_xml(format('select * from %I', table_name), true, false, '')::text as found
    from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`);
  const seen = JSON.stringify([api.log, answers.map(({ body }) => body), rows]);
  for (const secret of [PASSWORD, token, registrationCookie, session]) {
    expect(secret.length).toBeGreaterThan(20);
    expect(seen.includes(secret), `found ${secret.slice(0, 8)}…`).toBe(false);
  }
});

/** An answer without what differs between any two. */
function comparable({ status, headers, body }: { status: number; headers: Headers; body: unknown }) {
  const varying = new Set(['date', 'x-request-id', 'ratelimit']);
  const kept = [...headers].filter(([name]) => !varying.has(name));
  return { status, body, headers: kept.map(([name, value]) => [name, value.replace(/=[A-Za-z0-9_-]{43};/, '=…;')]) };
}
