import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_ATTEMPTS } from '../alerts/delivery-queue.ts';
import { openVault } from '../crypto/vault.ts';
import { inTransaction } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type Api, ENCRYPTION_KEY, startApi } from '../testing/api.ts';
import { type MailCatcher, startMailCatcher } from '../testing/receivers.ts';
import { enqueueMail } from './outbox.ts';

const vault = openVault(ENCRYPTION_KEY);
const LINK = 'https://portal.example.test/reset#token=a-token-that-nobody-may-read';
/** A busy machine takes its time; a quiet one is not made to wait. */
const PATIENCE = { timeout: 15_000 };
const NOBODY_LISTENS = 'smtp://user:smtp-password@127.0.0.1:1';

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

let databaseUrl: string;
let api: Api;
beforeEach(async () => {
  mails.mails.length = 0;
  mails.refuse = 0;
  databaseUrl = await databases.clone();
  api = await start();
});
afterEach(() => api.stop());

const start = (more: Parameters<typeof startApi>[0] = {}) => startApi({ databaseUrl, smtpUrl: mails.url, ...more });
const restart = async (more: Parameters<typeof startApi>[0] = {}) => {
  await api.stop();
  api = await start(more);
};
const enqueue = (client: pg.ClientBase, more: { expiresAt?: Date } = {}) =>
  enqueueMail(client, vault, {
    to: 'ada@example.test',
    language: 'en',
    template: 'reset-password',
    data: { link: LINK, validMinutes: 60 },
    ...more,
  });
const row = async () => {
  const { rows } = await api.pool.query('select state, attempts, sealed is null as emptied, last_error from mail');
  return rows[0];
};
/** As if the pause had passed. */
const again = async () => {
  await api.pool.query('update mail set next_attempt_at = clock_timestamp()');
  await api.pool.query('notify cloudfreedom_mail');
};

describe('a mail', () => {
  test('leaves when its transaction is committed, and its content with it', async () => {
    await inTransaction(api.pool, enqueue);
    await expect.poll(() => mails.mails.length, PATIENCE).toBe(1);
    const [mail] = mails.mails;
    expect([mail?.subject, mail?.headers.get('auto-submitted')]).toEqual(['Set a new password', 'auto-generated']);
    expect(mail?.text).toContain(LINK);
    expect(mail?.html).toContain(`href="${LINK}"`);
    await expect.poll(row, PATIENCE).toEqual({ state: 'sent', attempts: 1, emptied: true, last_error: null });
  });

  test('never leaves when its transaction is rolled back', async () => {
    const cause = new Error('the cause did not happen');
    const rolledBack = inTransaction(api.pool, async (client) => {
      await enqueue(client);
      throw cause;
    });
    await expect(rolledBack).rejects.toBe(cause);
    await inTransaction(api.pool, enqueue);
    await expect.poll(() => mails.mails.length, PATIENCE).toBe(1);
    expect((await api.pool.query('select from mail')).rowCount).toBe(1);
  });

  test('can be read in no table while it waits, and opens with no other key', async () => {
    await restart({ smtpUrl: NOBODY_LISTENS });
    await inTransaction(api.pool, enqueue);
    await expect.poll(async () => (await row())?.attempts, PATIENCE).toBe(1);
    const { rows } = await api.pool.query<{ sealed: Buffer }>('select sealed from mail');
    expect(rows[0]?.sealed.toString('latin1')).not.toMatch(/ada@|token|reset/);
    await restart({ encryptionKey: 'another key of at least thirty-two characters' });
    await again();
    const error = 'it cannot be opened with this key and version';
    await expect.poll(row, PATIENCE).toEqual({ state: 'failed', attempts: 2, emptied: true, last_error: error });
    expect(mails.mails).toEqual([]);
  });
});

describe('a mail server that does not take it', () => {
  test('is tried again with the same message id, and neither password nor address shows in the reason', async () => {
    await restart({ smtpUrl: NOBODY_LISTENS });
    const id = await inTransaction(api.pool, enqueue);
    await expect
      .poll(row, PATIENCE)
      .toMatchObject({ state: 'pending', attempts: 1, emptied: false, last_error: expect.any(String) });
    expect((await row())?.last_error).toBe('the mail server did not take it (ESOCKET)');
    expect(JSON.stringify(api.log)).not.toMatch(/smtp-password|ada@example/);
    await restart();
    mails.refuse = 1;
    await again();
    await expect
      .poll(row, PATIENCE)
      .toMatchObject({ attempts: 2, last_error: 'the mail server did not take it (EMESSAGE 451)' });
    await again();
    await expect.poll(row, PATIENCE).toMatchObject({ state: 'sent', attempts: 3 });
    expect(mails.mails.map(({ messageId }) => messageId)).toEqual([`<${id}@localhost>`]);
  });

  test('is given up after the last attempt: the content goes, the reason stays and is logged', async () => {
    await restart({ smtpUrl: NOBODY_LISTENS });
    await inTransaction(api.pool, enqueue);
    await expect.poll(row, PATIENCE).toMatchObject({ state: 'pending', attempts: 1, last_error: expect.any(String) });
    await api.pool.query('update mail set attempts = $1', [MAX_ATTEMPTS - 1]);
    await again();
    await expect.poll(row, PATIENCE).toMatchObject({ state: 'failed', attempts: MAX_ATTEMPTS, emptied: true });
    expect(api.log.some((line) => line.includes('a mail was given up'))).toBe(true);
    expect((await api.admin('GET', '/metrics')).body).toContain('cloudfreedom_mails_total{outcome="failed"} 1');
  });

  test('that is not configured at all ends it at once', async () => {
    await api.stop();
    api = await startApi({ databaseUrl });
    await inTransaction(api.pool, enqueue);
    const error = 'the platform has no mail server configured';
    await expect.poll(row, PATIENCE).toMatchObject({ state: 'failed', attempts: 1, last_error: error });
  });
});

test('a mail whose link has expired is not sent any more', async () => {
  await restart({ smtpUrl: NOBODY_LISTENS });
  await inTransaction(api.pool, (client) => enqueue(client, { expiresAt: new Date(Date.now() + 3_600_000) }));
  await expect.poll(row, PATIENCE).toMatchObject({ attempts: 1, last_error: expect.any(String) });
  await restart();
  await api.pool.query(`update mail set expires_at = now() - interval '1 second'`);
  await again();
  await expect
    .poll(row, PATIENCE)
    .toMatchObject({ state: 'failed', last_error: 'its time had passed before it could be sent' });
  expect(mails.mails).toEqual([]);
});

test('a mail that a process took before it died is sent by another, and by two processes once', async () => {
  await restart({ smtpUrl: NOBODY_LISTENS });
  await inTransaction(api.pool, enqueue);
  await expect.poll(row, PATIENCE).toMatchObject({ attempts: 1, last_error: expect.any(String) });
  await api.pool.query(`update mail set taken_until = clock_timestamp() - interval '1 second'`);
  await restart();
  const other = await start();
  await again();
  await expect.poll(row, PATIENCE).toMatchObject({ state: 'sent' });
  await other.stop();
  expect(mails.mails.length).toBe(1);
});

test('a hundred mails queued at once all leave, once each', async () => {
  const other = await start();
  await inTransaction(api.pool, async (client) => {
    for (let number = 1; number <= 100; number += 1) await enqueue(client);
  });
  await expect.poll(() => mails.mails.length, PATIENCE).toBe(100);
  await other.stop();
  expect(new Set(mails.mails.map(({ messageId }) => messageId)).size).toBe(100);
});
