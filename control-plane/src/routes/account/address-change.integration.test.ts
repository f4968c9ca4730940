import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { mailTo, newAccount, PASSWORD, registration, signInAs, tokenOf } from '../../testing/account.ts';
import { type Api, startApi } from '../../testing/api.ts';
import { type Browser, openBrowser } from '../../testing/browser.ts';
import { type MailCatcher, startMailCatcher } from '../../testing/receivers.ts';

const OLD = 'ada@example.test';
const NEW = 'ada@new.example.test';
const CHANGES = '/v1/account/address-changes';

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
  api = await startApi({
    databaseUrl: await databases.clone(),
    smtpUrl: mails.url,
    platformAdmins: ['root@example.test'],
  });
  ada = await newAccount(api, mails, OLD);
  mails.mails.length = 0;
});
afterEach(() => api.stop());

const addressOf = async (browser: Browser) => (await browser.call('GET', '/v1/account')).body.email;
/** Asks for the change, and confirms it by the mail. */
async function changeTo(email: string, browser = ada): Promise<void> {
  expect((await browser.call('POST', CHANGES, { email })).status).toBe(202);
  const token = tokenOf(await mailTo(mails, email));
  expect((await browser.call('POST', `${CHANGES}/confirmations`, { token })).status).toBe(204);
}

describe('a change of address', () => {
  test('happens once the new address confirms; the old one is told and can undo it', async () => {
    expect((await ada.call('POST', CHANGES, { email: NEW })).status).toBe(202);
    expect(await addressOf(ada)).toBe(OLD);
    const token = tokenOf(await mailTo(mails, NEW));
    expect((await ada.call('POST', `${CHANGES}/confirmations`, { token })).status).toBe(204);
    expect(await addressOf(ada)).toBe(NEW);
    const notice = await mailTo(mails, OLD);
    expect(notice.text).toContain('a…@new.example.test');
    expect(notice.text).toMatch(/\/change-address#undo=[\w-]{43}/);
    expect((await signInAs(api, OLD)).answer.status).toBe(401);
    expect((await signInAs(api, NEW)).answer.status).toBe(201);
  });

  test('to somebody’s address is answered the same; its owner is told, and nothing changes', async () => {
    const grace = await newAccount(api, mails, 'grace@example.test');
    mails.mails.length = 0;
    const taken = await ada.call('POST', CHANGES, { email: 'grace@example.test' });
    const free = await ada.call('POST', CHANGES, { email: NEW });
    expect([taken.status, taken.body]).toEqual([free.status, free.body]);
    expect((await mailTo(mails, 'grace@example.test')).subject).toBe('This address already has an account');
    expect([await addressOf(ada), await addressOf(grace)]).toEqual([OLD, 'grace@example.test']);
  });

  test('that meets an account made meanwhile is refused, and the token stays good', async () => {
    await ada.call('POST', CHANGES, { email: NEW });
    const token = tokenOf(await mailTo(mails, NEW));
    await newAccount(api, mails, NEW);
    const answer = await ada.call('POST', `${CHANGES}/confirmations`, { token });
    expect(answer).toMatchObject({ status: 409, body: { code: 'address_taken' } });
    expect(await addressOf(ada)).toBe(OLD);
  });

  test('cannot be confirmed by anybody else, signed in or not', async () => {
    const eve = await newAccount(api, mails, 'eve@example.test');
    await ada.call('POST', CHANGES, { email: NEW });
    const token = tokenOf(await mailTo(mails, NEW));
    expect((await eve.call('POST', `${CHANGES}/confirmations`, { token })).status).toBe(404);
    expect((await openBrowser(api).call('POST', `${CHANGES}/confirmations`, { token })).status).toBe(401);
    expect((await ada.call('POST', `${CHANGES}/confirmations`, { token })).status).toBe(204);
  });

  test('is confirmed once, however many come at the same time', async () => {
    await ada.call('POST', CHANGES, { email: NEW });
    const token = tokenOf(await mailTo(mails, NEW));
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ada.call('POST', `${CHANGES}/confirmations`, { token })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(19).fill(404)]);
  });

  test('ends links to reset the password that went to the old address, and registrations of the new one', async () => {
    await openBrowser(api).call('POST', '/v1/account/password-resets', { email: OLD });
    const resetToken = tokenOf(await mailTo(mails, OLD));
    const stranger = openBrowser(api);
    await stranger.call('POST', '/v1/account/registrations', registration(NEW));
    const strangersToken = tokenOf(await mailTo(mails, NEW));
    mails.mails.length = 0;
    await changeTo(NEW);
    const reset = { token: resetToken, password: 'another sentence altogether' };
    expect((await openBrowser(api).call('POST', '/v1/account/password-resets/confirmations', reset)).status).toBe(404);
    expect((await stranger.call('POST', '/v1/account/confirmations', { token: strangersToken })).status).toBe(404);
  });

  test('to the own address, or to an address that is none, is refused', async () => {
    expect((await ada.call('POST', CHANGES, { email: OLD.toUpperCase() })).status).toBe(422);
    expect((await ada.call('POST', CHANGES, { email: 'no address' })).status).toBe(422);
  });

  test('to one that the configuration names makes a platform admin, once it is confirmed', async () => {
    await ada.call('POST', CHANGES, { email: 'root@example.test' });
    expect((await ada.call('GET', '/v1/account')).body.platformAdmin).toBe(false);
    const token = tokenOf(await mailTo(mails, 'root@example.test'));
    await ada.call('POST', `${CHANGES}/confirmations`, { token });
    expect((await ada.call('GET', '/v1/account')).body.platformAdmin).toBe(true);
  });
});

describe('the undo link at the old address', () => {
  const undo = (token: string) => openBrowser(api).call('POST', `${CHANGES}/undo`, { token });

  test('takes the account back from whoever changed it: sessions and password end, a mail leads to a new one', async () => {
    await changeTo(NEW);
    const token = tokenOf(await mailTo(mails, OLD));
    expect((await undo(token)).status).toBe(204);
    expect((await ada.call('GET', '/v1/account')).status).toBe(401);
    expect((await signInAs(api, OLD)).answer.status).toBe(401);
    expect((await signInAs(api, NEW)).answer.status).toBe(401);
    const reset = { token: tokenOf(await mailTo(mails, OLD, 2)), password: 'the owner’s new sentence' };
    expect((await openBrowser(api).call('POST', '/v1/account/password-resets/confirmations', reset)).status).toBe(204);
    expect((await signInAs(api, OLD, 'the owner’s new sentence')).answer.status).toBe(201);
    expect((await undo(token)).status).toBe(404);
  });

  test('ends the ways to sign in that were added around the change, and leaves the older ones', async () => {
    const { id } = (await ada.call('GET', '/v1/account')).body;
    const identity = (provider: string, age: string) =>
      api.pool.query(
        `insert into identity (provider, subject, person_id, email, created_at)
         values ($1, $1, $2, 'x@example.test', now() - $3::interval)`,
        [provider, id, age],
      );
    await identity('github', '2 days');
    await identity('google', '1 hour');
    await changeTo(NEW);
    await api.pool.query(`insert into totp (person_id, secret, confirmed_at) values ($1, 'sealed', now())`, [id]);
    expect((await undo(tokenOf(await mailTo(mails, OLD)))).status).toBe(204);
    expect((await api.pool.query('select provider from identity')).rows).toEqual([{ provider: 'github' }]);
    expect((await api.pool.query('select from totp')).rowCount).toBe(0);
  });

  test('of the first of two changes ends that of the second, which a thief would hold', async () => {
    await changeTo('first@thief.example.test');
    await changeTo('second@thief.example.test');
    const owners = tokenOf(await mailTo(mails, OLD));
    const thiefs = tokenOf(await mailTo(mails, 'first@thief.example.test', 2));
    expect((await undo(owners)).status).toBe(204);
    expect((await undo(thiefs)).status).toBe(404);
  });

  test('of the second does not take the first one’s away', async () => {
    await changeTo('first@thief.example.test');
    await changeTo('second@thief.example.test');
    const owners = tokenOf(await mailTo(mails, OLD));
    const thiefs = tokenOf(await mailTo(mails, 'first@thief.example.test', 2));
    expect((await undo(thiefs)).status).toBe(204);
    expect((await undo(owners)).status).toBe(204);
    expect((await api.pool.query('select email from person')).rows).toEqual([{ email: OLD }]);
  });

  test('is good for a week, and of no use where somebody else has the old address by then', async () => {
    await changeTo(NEW);
    const token = tokenOf(await mailTo(mails, OLD));
    const { rows } = await api.pool.query(
      `select extract(day from expires_at - created_at)::int as days from address_change where kind = 'undo'`,
    );
    expect(rows).toEqual([{ days: 7 }]);
    await newAccount(api, mails, OLD);
    expect(await undo(token)).toMatchObject({ status: 409, body: { code: 'address_taken' } });
    await api.pool.query(`update address_change set expires_at = now() - interval '1 second'`);
    expect((await undo(token)).status).toBe(404);
    expect((await signInAs(api, NEW, PASSWORD)).answer.status).toBe(201);
  });
});
