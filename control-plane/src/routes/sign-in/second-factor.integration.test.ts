import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Browser } from './testing/browser.ts';
import { type IdentityApi, PROVIDERS, startIdentityApi } from './testing/identity-api.ts';
import { codeOf, enrolPasskey, enrolTotp, STEP_MS } from './testing/second-factors.ts';

let api: IdentityApi;
/** The clock of the codes; each test goes on from where it is. */
let now = new Date('2026-11-30T10:00:10Z');

beforeAll(async () => {
  api = await startIdentityApi({ now: () => now });
});
afterAll(() => api.stop());
beforeEach(() => {
  now = new Date(now.getTime() + 10 * STEP_MS);
});

const secondFactor = (browser: Browser, body: object) => browser.call('POST', '/v1/sign-in/second-factor', body);

/** Somebody with a provider's account, signed in, and what they sign in with. */
async function somebody(provider = 'google') {
  const email = `${randomUUID()}@example.test`;
  const browser = await api.registered(provider, { email });
  const pending = async (from = api.browser()) => (await from.signInAt(provider, { email }, '/tenants/acme')).state;
  return { email, browser, pending };
}

describe.each(PROVIDERS)('a sign-in at %s by somebody with an app', (provider) => {
  test('asks for the second factor, and is complete with it', async () => {
    const person = await somebody(provider);
    const { secret } = await enrolTotp(person.browser, now);
    const browser = api.browser();
    const landing = await browser.signInAt(provider, { email: person.email }, '/tenants/acme');
    expect(landing).toMatchObject({
      path: '/second-factor',
      state: { methods: 'totp,recovery', return_to: '/tenants/acme', token: expect.stringMatching(/^[\w-]{43}$/) },
    });
    expect(await browser.whoAmI()).toBeUndefined();
    const pendingToken = landing.state.token;
    const answer = await secondFactor(browser, { pendingToken, method: 'totp', code: codeOf(secret, now) });
    expect(answer).toMatchObject({ status: 201, body: { status: 'signed_in' } });
    expect((await browser.whoAmI())?.session.methods).toEqual([provider, 'totp']);
  });
});

test('a code is good for one sign-in: replayed, it opens neither the same nor another', async () => {
  const person = await somebody();
  const { secret } = await enrolTotp(person.browser, now);
  const code = codeOf(secret, now);
  const [first, second] = [await person.pending(), await person.pending()];
  const answer = (token: string | undefined) =>
    secondFactor(api.browser(), { pendingToken: token, method: 'totp', code });
  expect((await answer(first.token)).status).toBe(201);
  expect(await answer(first.token)).toMatchObject({ status: 401, body: { code: 'sign_in_expired' } });
  expect(await answer(second.token)).toMatchObject({ status: 401, body: { code: 'second_factor_refused' } });
});

test('the code of another person is refused', async () => {
  const [person, other] = [await somebody(), await somebody()];
  await enrolTotp(person.browser, now);
  const ofOther = await enrolTotp(other.browser, now);
  const { token: pendingToken } = await person.pending();
  const byCode = await secondFactor(api.browser(), { pendingToken, method: 'totp', code: codeOf(ofOther.secret, now) });
  expect(byCode.body.code).toBe('second_factor_refused');
  const recovery = { pendingToken, method: 'recovery', code: ofOther.recoveryCodes[0] };
  expect((await secondFactor(api.browser(), recovery)).body.code).toBe('second_factor_refused');
});

test('a recovery code stands in once, and its owner is told', async () => {
  const person = await somebody();
  const { recoveryCodes } = await enrolTotp(person.browser, now);
  expect(recoveryCodes).toHaveLength(10);
  const mailsBefore = await mails();
  const use = async (code: string | undefined) => {
    const { token: pendingToken } = await person.pending();
    return secondFactor(api.browser(), { pendingToken, method: 'recovery', code });
  };
  expect((await use(recoveryCodes[0])).status).toBe(201);
  expect(await mails()).toBe(mailsBefore + 1);
  expect((await use(recoveryCodes[0])).body.code).toBe('second_factor_refused');
  expect((await person.browser.call('GET', '/v1/account/second-factors/recovery-codes')).body).toEqual({ left: 9 });
});

test('of twenty sign-ins at once with one recovery code, one is let in', async () => {
  const person = await somebody();
  const { recoveryCodes } = await enrolTotp(person.browser, now);
  const tokens: (string | undefined)[] = [];
  while (tokens.length < 20) tokens.push((await person.pending()).token);
  const answers = await Promise.all(
    tokens.map((pendingToken) =>
      secondFactor(api.browser(), { pendingToken, method: 'recovery', code: recoveryCodes[0] }),
    ),
  );
  // The others were wrong, or too many at once.
  expect(answers.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
  expect(answers.every(({ status }) => [201, 401, 429].includes(status))).toBe(true);
});

test('guessing ends: a pending sign-in after a few wrong codes, and starting over is slowed down', async () => {
  const person = await somebody();
  const { secret } = await enrolTotp(person.browser, now);
  const seen: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { token: pendingToken } = await person.pending();
    for (let guess = 0; guess < 6; guess += 1) {
      const code = String(guess).padStart(6, '0');
      seen.push((await secondFactor(api.browser(), { pendingToken, method: 'totp', code })).status);
    }
  }
  expect(seen.filter((status) => status === 401).length).toBeLessThanOrEqual(6);
  expect(seen.slice(-6)).toEqual(Array(6).fill(429));
  // Not even the right code gets through while it waits.
  const { token: pendingToken } = await person.pending();
  const right = await secondFactor(api.browser(), { pendingToken, method: 'totp', code: codeOf(secret, now) });
  expect(right).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
  expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('a pending sign-in opens nothing else, and an invented or overdue one nothing at all', async () => {
  const person = await somebody();
  const { secret } = await enrolTotp(person.browser, now);
  const { token = '' } = await person.pending();
  const stranger = api.browser();
  stranger.cookies.set('__Host-cloudfreedom', token);
  expect(await stranger.whoAmI()).toBeUndefined();
  const answer = (pendingToken: string) =>
    secondFactor(api.browser(), { pendingToken, method: 'totp', code: codeOf(secret, now) });
  expect((await answer('a'.repeat(43))).body.code).toBe('sign_in_expired');
  await api.pool.query(`update pending_sign_in set expires_at = now() - interval '1 second'`);
  expect((await answer(token)).body.code).toBe('sign_in_expired');
});

test('a person who was locked meanwhile is not let in by the second step', async () => {
  const person = await somebody();
  const { secret } = await enrolTotp(person.browser, now);
  const { token: pendingToken } = await person.pending();
  await api.pool.query(`update person set state = 'locked' where email = $1`, [person.email]);
  const answer = await secondFactor(api.browser(), { pendingToken, method: 'totp', code: codeOf(secret, now) });
  expect(answer).toMatchObject({ status: 403, body: { code: 'account_locked' } });
});

describe('the app of one’s account', () => {
  const path = '/v1/account/second-factors/totp';

  test('is set up with recovery codes, told by mail, and removed with them', async () => {
    const { browser, email } = await somebody();
    const before = await mails();
    expect((await browser.call('GET', path)).body).toEqual({ enrolled: false });
    expect((await browser.call('POST', '/v1/account/second-factors/recovery-codes')).body.code).toBe(
      'no_second_factor',
    );
    await enrolTotp(browser, now);
    expect((await browser.call('GET', path)).body).toEqual({ enrolled: true });
    expect((await browser.call('POST', path)).body.code).toBe('totp_enrolled');
    expect((await browser.call('DELETE', path)).status).toBe(204);
    expect((await browser.call('DELETE', path)).body.code).toBe('totp_unknown');
    expect((await browser.call('GET', '/v1/account/second-factors/recovery-codes')).body).toEqual({ left: 0 });
    expect(await mails()).toBe(before + 2);
    expect((await api.browser().signInAt('google', { email })).path).toBe('/');
  });

  test('is not set up by a wrong code', async () => {
    const { browser } = await somebody();
    const { body } = await browser.call('POST', path);
    const code = codeOf(body.secret, new Date(now.getTime() + 10 * STEP_MS));
    expect((await browser.call('POST', `${path}/confirmations`, { code })).body.code).toBe('totp_code_wrong');
    expect((await browser.call('GET', path)).body).toEqual({ enrolled: false });
  });

  test('fresh recovery codes replace the old ones', async () => {
    const person = await somebody();
    const { recoveryCodes: old } = await enrolTotp(person.browser, now);
    const { status, body } = await person.browser.call('POST', '/v1/account/second-factors/recovery-codes');
    expect(status).toBe(201);
    const use = async (code: string) => {
      const { token: pendingToken } = await person.pending();
      return (await secondFactor(api.browser(), { pendingToken, method: 'recovery', code })).status;
    };
    expect(await use(old[1] ?? '')).toBe(401);
    expect(await use(body.recoveryCodes[1])).toBe(201);
  });
});

test('nothing about second factors changes without a recent proof of who one is', async () => {
  const { browser } = await somebody();
  await enrolTotp(browser, now);
  const { id } = await enrolPasskey(browser);
  await api.pool.query(`update session set authenticated_at = now() - interval '16 minutes'`);
  for (const [method, path, body] of [
    ['DELETE', '/v1/account/second-factors/totp'],
    ['POST', '/v1/account/second-factors/totp'],
    ['POST', '/v1/account/second-factors/totp/confirmations', { code: '123456' }],
    ['POST', '/v1/account/second-factors/recovery-codes'],
    ['POST', '/v1/account/passkeys/options'],
    ['DELETE', `/v1/account/passkeys/${id}`],
    ['POST', '/v1/account/identities/gitlab', {}],
    ['POST', '/v1/account/identities', { token: 'a'.repeat(43) }],
    ['DELETE', '/v1/account/identities/google'],
  ] as const) {
    const answer = await browser.call(method, path, body);
    expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { code: 'reauthentication_required' } });
  }
});

test('no code, secret or pending token shows in the log', async () => {
  const person = await somebody();
  const { secret, recoveryCodes } = await enrolTotp(person.browser, now);
  const { token: pendingToken = '' } = await person.pending();
  await secondFactor(api.browser(), { pendingToken, method: 'recovery', code: recoveryCodes[0] });
  const log = api.log.join('');
  for (const text of [secret, pendingToken, ...recoveryCodes]) expect(log).not.toContain(text);
});

async function mails(): Promise<number> {
  const { rows } = await api.pool.query<{ count: number }>('select count(*)::int as count from mail');
  return rows[0]?.count ?? 0;
}
