import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { hashPassword } from '../../identity/password-hash.ts';
import { PASSWORD, signInAs } from '../../testing/account.ts';
import { type Api, startApi } from '../../testing/api.ts';
import { openBrowser } from '../../testing/browser.ts';

const EMAIL = 'ada@example.test';
const SESSIONS = '/v1/account/sessions';
const OLD_COST = { ln: 9, r: 8, p: 1 };

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let api: Api;
let databaseUrl: string;
beforeEach(async () => {
  databaseUrl = await databases.clone();
  api = await start();
});
afterEach(() => api.stop());

const start = () => startApi({ databaseUrl, trustedProxies: ['127.0.0.0/8'] });

/** A person with a password, made without the detour by the mail. @returns the id */
async function person(email: string, state = 'active'): Promise<string> {
  const { rows } = await api.pool.query<{ id: string }>(
    `insert into person (email, name, language, email_verified_at, password_hash, state)
     values ($1, 'Ada', 'en', now(), $2, $3) returning id`,
    [email, await hashPassword(PASSWORD, OLD_COST), state],
  );
  return rows[0]?.id ?? '';
}
const guess = (by: Api, email: string, password = 'not the password', from = '203.0.113.1') =>
  openBrowser(by).call('POST', SESSIONS, { email, password }, { 'x-forwarded-for': from });
const statuses = async (answers: Promise<{ status: number }>[]) =>
  (await Promise.all(answers)).map(({ status }) => status).sort();

test('a person signs in, whichever case the address is typed in, and out again', async () => {
  const id = await person(EMAIL);
  const { browser, answer } = await signInAs(api, 'ADA@Example.test');
  expect(answer).toMatchObject({ status: 201, body: { status: 'signed_in', personId: id } });
  expect(await browser.call('GET', '/v1/account')).toMatchObject({ body: { session: { methods: ['password'] } } });
  const token = [...browser.cookies][0];
  expect((await browser.call('DELETE', `${SESSIONS}/current`)).status).toBe(204);
  expect(browser.cookies.size).toBe(0);
  browser.cookies.set(...(token ?? ['', '']));
  expect((await browser.call('GET', '/v1/account')).status).toBe(401);
});

describe('a sign-in that is refused', () => {
  test('says the same for a wrong password, an unknown address and a registration that is not confirmed', async () => {
    await person(EMAIL);
    await api.pool.query(
      `insert into registration (email, name, language, password_hash, terms_version, token_sha256, browser_sha256, expires_at)
       values ('new@example.test', 'New', 'en', $1, '1', $2, $2, now() + interval '1 hour')`,
      [await hashPassword(PASSWORD, OLD_COST), Buffer.alloc(32)],
    );
    const answers = [
      await guess(api, EMAIL),
      await guess(api, 'nobody@example.test', PASSWORD),
      await guess(api, 'new@example.test', PASSWORD),
    ];
    const seen = answers.map(({ status, body, headers }) => {
      const names = [...headers.keys()].sort();
      return JSON.stringify({ status, body, names, length: headers.get('content-length') });
    });
    expect(new Set(seen).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401, body: { code: 'sign_in_refused' } });
    expect(answers[0]?.headers.getSetCookie()).toEqual([]);
  });

  test('by a locked account is told so only to who knows the password', async () => {
    await person(EMAIL, 'locked');
    expect(await guess(api, EMAIL)).toMatchObject({ status: 401 });
    expect(await guess(api, EMAIL, PASSWORD)).toMatchObject({ status: 403, body: { code: 'account_locked' } });
    expect((await api.pool.query('select from session')).rowCount).toBe(0);
  });

  test('from another site’s page is not even looked at', async () => {
    await person(EMAIL);
    const body = { email: EMAIL, password: PASSWORD };
    const answer = await openBrowser(api).call('POST', SESSIONS, body, { origin: 'https://evil.test' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'cross_site' } });
  });
});

describe('guessing', () => {
  test('has to wait after five wrong passwords, at every replica, known address or not, right password or not', async () => {
    await person(EMAIL);
    const other = await start();
    for (const email of [EMAIL, 'nobody@example.test']) {
      for (const by of [api, other, api, other, api]) expect((await guess(by, email)).status).toBe(401);
      expect(await stretchWaits()).toBe(1);
      for (const by of [api, other]) {
        const refused = await guess(by, email, PASSWORD);
        expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
        expect(refused.headers.get('retry-after')).toBe(String(refused.body.retryAfterSeconds));
      }
      await api.pool.query('delete from throttle');
    }
    await other.stop();
  });

  test('in parallel gets no more tries than one after the other', async () => {
    await person(EMAIL);
    const other = await start();
    const begin = performance.now();
    const tries = Array.from({ length: 30 }, (_, number) => guess(number % 2 === 0 ? api : other, EMAIL));
    const answered = await statuses(tries);
    // Five are free; on a slow machine the first waits of one, two, four … seconds may pass meanwhile.
    const passed = Math.floor(Math.log2((performance.now() - begin) / 1000 + 1));
    const looked = answered.filter((status) => status === 401).length;
    expect(looked).toBeGreaterThanOrEqual(5);
    expect(looked).toBeLessThanOrEqual(5 + passed);
    expect(answered.filter((status) => status === 429).length).toBe(30 - looked);
    await other.stop();
  });

  test('waits twice as long each time, and the owner’s success ends it', async () => {
    await person(EMAIL);
    for (let number = 1; number <= 5; number += 1) await guess(api, EMAIL);
    const waits = [];
    for (let number = 6; number <= 9; number += 1) {
      await passTime();
      expect((await guess(api, EMAIL)).status).toBe(401);
      waits.push(await waitSeconds());
    }
    expect(waits).toEqual([2, 4, 8, 16]);
    await passTime();
    expect((await guess(api, EMAIL, PASSWORD)).status).toBe(201);
    for (let number = 1; number <= 4; number += 1) expect((await guess(api, EMAIL)).status).toBe(401);
    expect(await waitSeconds()).toBeNull();
  });

  test('many accounts from one network address is slowed down; others are not', async () => {
    for (let number = 1; number <= 40; number += 1) {
      expect((await guess(api, `person-${number}@example.test`)).status).toBe(401);
    }
    expect((await guess(api, 'person-41@example.test')).status).toBe(429);
    expect((await guess(api, 'person-41@example.test', PASSWORD, '203.0.113.2')).status).toBe(401);
  });

  test('is not outrun by an office full of people who sign in rightly', async () => {
    await person(EMAIL);
    for (let number = 1; number <= 50; number += 1) expect((await guess(api, EMAIL, PASSWORD)).status).toBe(201);
  });

  /** How long the account's wait was when it began: what is counted is forgotten a day after. */
  const waitSeconds = async () => {
    const text = `select extract(epoch from blocked_until - forgotten_at + interval '1 day')::int as wait
      from throttle where rule = 'sign-in.account'`;
    return (await api.pool.query(text)).rows[0]?.wait;
  };
  /** Makes the waits of this moment so long that no slow machine outlasts them. @returns how many there are */
  const stretchWaits = async () => {
    const text = `update throttle set blocked_until = now() + interval '1 hour' where blocked_until is not null`;
    return (await api.pool.query(text)).rowCount;
  };
  /** As if the wait had passed. */
  const passTime = () => api.pool.query('update throttle set blocked_until = null');
});

describe('a session', () => {
  test('is a new one with every sign-in: one that was planted in the browser is neither used nor left alive', async () => {
    await person(EMAIL);
    await person('eve@example.test');
    const { browser: eve } = await signInAs(api, 'eve@example.test');
    const planted = [...eve.cookies][0] ?? ['', ''];
    const ada = openBrowser(api);
    ada.cookies.set(...planted);
    expect((await ada.call('POST', SESSIONS, { email: EMAIL, password: PASSWORD })).status).toBe(201);
    expect(ada.cookies.get(planted[0])).not.toBe(planted[1]);
    expect((await ada.call('GET', '/v1/account')).body.email).toBe(EMAIL);
    expect((await eve.call('GET', '/v1/account')).status).toBe(401);
    const invented = openBrowser(api);
    invented.cookies.set(planted[0], 'i'.repeat(43));
    await invented.call('POST', SESSIONS, { email: EMAIL, password: PASSWORD });
    expect(invented.cookies.get(planted[0])).not.toBe('i'.repeat(43));
  });

  test('is listed with its device, and ended one by one or all others at once', async () => {
    await person(EMAIL);
    const here = (await signInAs(api, EMAIL)).browser;
    const there = (await signInAs(api, EMAIL)).browser;
    const third = (await signInAs(api, EMAIL)).browser;
    const { body } = await here.call('GET', SESSIONS, undefined, { 'user-agent': 'Browser/1' });
    expect(body.items.length).toBe(3);
    expect(body.items).toContainEqual(expect.objectContaining({ current: true, address: '127.0.0.1' }));
    const list = (await there.call('GET', SESSIONS)).body.items;
    const thereId = list.find((session: { current: boolean }) => session.current).id;
    expect((await here.call('DELETE', `${SESSIONS}/${thereId}`)).status).toBe(204);
    expect((await there.call('GET', SESSIONS)).status).toBe(401);
    expect(await here.call('DELETE', `${SESSIONS}/${thereId}`)).toMatchObject({ body: { code: 'session_unknown' } });
    expect((await here.call('DELETE', SESSIONS)).status).toBe(204);
    expect((await third.call('GET', SESSIONS)).status).toBe(401);
    expect((await here.call('GET', SESSIONS)).body.items.length).toBe(1);
  });

  test('of somebody else is not there to be ended', async () => {
    await person(EMAIL);
    await person('eve@example.test');
    const ada = (await signInAs(api, EMAIL)).browser;
    const eve = (await signInAs(api, 'eve@example.test')).browser;
    const { id } = (await ada.call('GET', '/v1/account')).body.session;
    expect((await eve.call('DELETE', `${SESSIONS}/${id}`)).status).toBe(404);
    expect((await eve.call('DELETE', `${SESSIONS}/${randomUUID()}`)).status).toBe(404);
    expect((await ada.call('GET', '/v1/account')).status).toBe(200);
  });
});

test('a password hashed at another cost is hashed anew when its owner signs in, and by nobody else', async () => {
  const id = await person(EMAIL);
  const stored = async () =>
    (await api.pool.query('select password_hash from person where id = $1', [id])).rows[0].password_hash;
  await guess(api, EMAIL);
  expect(await stored()).toMatch(/^\$scrypt\$ln=9,r=8,p=1\$/);
  expect((await guess(api, EMAIL, PASSWORD)).status).toBe(201);
  expect(await stored()).toMatch(/^\$scrypt\$ln=10,r=8,p=1\$/);
  expect((await guess(api, EMAIL, PASSWORD)).status).toBe(201);
});

describe('a second factor', () => {
  /** As if an authenticator app had been set up. */
  const enrol = (id: string) =>
    api.pool.query(`insert into totp (person_id, secret, confirmed_at) values ($1, 'sealed', now())`, [id]);

  test('is asked for after the right password: no cookie yet, and the token opens nothing else', async () => {
    const id = await person(EMAIL);
    await enrol(id);
    const { answer } = await signInAs(api, EMAIL);
    expect(answer).toMatchObject({ status: 202, body: { status: 'second_factor_required', methods: ['totp'] } });
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect((await api.pool.query('select from session')).rowCount).toBe(0);
    const bearer = await api.call('GET', '/v1/account', answer.body.pendingToken);
    expect(bearer.status).toBe(401);
    const stored = await api.pool.query('select token_sha256, methods from pending_sign_in');
    expect(stored.rows).toMatchObject([{ methods: ['password'] }]);
  });

  test('is not hinted at by a wrong password', async () => {
    await enrol(await person(EMAIL));
    await person('grace@example.test');
    const [with2fa, without] = [await guess(api, EMAIL), await guess(api, 'grace@example.test')];
    expect(with2fa.body).toEqual(without.body);
  });
});
