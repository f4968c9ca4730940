import { randomBytes, randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mailTo, tokenOf } from './account.ts';
import { ADMIN_KEY, type Api, authoriseBody, OPERATOR_KEY, settleBody, startApi } from './api.ts';
import { type Browser, openBrowser } from './browser.ts';
import { type Canaries, watch } from './canaries.ts';
import { type MailCatcher, startMailCatcher } from './receivers.ts';

/** As secrets of ours look, and unlike anything else. */
const canary = (name: string) => `canary-${name}-${randomBytes(12).toString('hex')}`;
const STEP_MS = 30_000;

const ANNA = 'anna@canary.test';
const BOB = 'bob@canary.test';

let mails: MailCatcher;
let started: Api;
let watched: Canaries;
let api: Api;
const [smtpPassword, encryptionKey] = [canary('smtp'), canary('encryption-key')];
beforeAll(async () => {
  mails = await startMailCatcher(0, smtpPassword);
  started = await startApi({ smtpUrl: mails.url, encryptionKey });
  watched = watch(started, mails);
  api = watched.api;
});
afterAll(async () => {
  await started.stop();
  await mails.close();
});

async function register(email: string, password: string): Promise<Browser> {
  const browser = openBrowser(api);
  const { body: terms } = await browser.call('GET', '/v1/terms');
  const registration = { name: 'Somebody', email, password, language: 'en', termsVersion: terms.version };
  await browser.call('POST', '/v1/account/registrations', registration);
  watched.shown(`the registration cookie of ${email}`, [...browser.cookies.values()].at(-1));
  const token = watched.mailed('a confirmation token', tokenOf(await mailTo(mails, email)));
  const confirmed = await browser.call('POST', '/v1/account/confirmations', { token });
  expect(confirmed.status).toBe(201);
  watched.shown(`the session of ${email}`, [...browser.cookies.values()].at(-1));
  return browser;
}

/** Waits for the mail with this in it. */
async function mailWith(part: string): Promise<{ text: string }> {
  const found = () => mails.mails.find(({ text }) => text?.includes(part))?.text;
  await expect.poll(found, { timeout: 10_000 }).toBeDefined();
  return { text: found() ?? '' };
}

/** Codes are good once: each use is a step later. */
const code = (secret: string, step: number) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + step * STEP_MS });

async function signsInAndOut(): Promise<void> {
  const passwords = ['one', 'two', 'three'].map((name) =>
    watched.plant(`password ${name}`, canary(`password-${name}`)),
  );
  const [first = '', second = '', third = ''] = passwords;
  const browser = await register(ANNA, first);
  const typo = watched.plant('a mistyped password', canary('mistyped'));
  expect((await openBrowser(api).call('POST', '/v1/account/sessions', { email: ANNA, password: typo })).status).toBe(
    401,
  );
  await openBrowser(api).call('POST', '/v1/account/sessions', `{"email": "${ANNA}", "password": "${second}`);
  await openBrowser(api).call('POST', '/v1/account/sessions', { email: [third], password: second });

  await browser.call('PUT', '/v1/account/password', { currentPassword: first, password: second });
  await openBrowser(api).call('POST', '/v1/account/password-resets', { email: ANNA });
  const resetToken = watched.mailed('a reset token', tokenOf(await mailWith('/reset#')));
  const redeemed = { token: resetToken, password: third };
  expect(
    (await openBrowser(api).call('POST', '/v1/account/password-resets/confirmations', redeemed)).status,
  ).toBeLessThan(300);

  const signedIn = openBrowser(api);
  expect((await signedIn.call('POST', '/v1/account/sessions', { email: ANNA, password: third })).status).toBe(201);
  watched.shown('a second session', [...signedIn.cookies.values()].at(-1));
  await signedIn.call('POST', '/v1/account/reauthentications', { password: third });
  const { body: totp } = await signedIn.call('POST', '/v1/account/second-factors/totp');
  const secret = watched.shown('the secret of the authenticator app', totp.secret);
  const confirmation = { code: code(secret, 0) };
  const confirmed = await signedIn.call('POST', '/v1/account/second-factors/totp/confirmations', confirmation);
  expect(confirmed.status).toBe(200);
  for (const recovery of confirmed.body.recoveryCodes) watched.shown('a recovery code', recovery);
  await signedIn.call('DELETE', '/v1/account/sessions/current');

  const factors = [
    { method: 'totp', code: code(secret, 1) },
    { method: 'recovery', code: confirmed.body.recoveryCodes[0] },
  ];
  for (const factor of factors) {
    const again = openBrowser(api);
    const { body } = await again.call('POST', '/v1/account/sessions', { email: ANNA, password: third });
    const pendingToken = watched.shown('a token between the two steps', body.pendingToken);
    const answer = await again.call('POST', '/v1/sign-in/second-factor', { pendingToken, ...factor });
    expect(answer.status).toBe(201);
    watched.shown('a session by two factors', [...again.cookies.values()].at(-1));
    await again.call('GET', '/v1/account/export');
  }
}

async function usesATenant(): Promise<void> {
  const clientSecret = watched.plant('the client secret of a chat', canary('client-secret'));
  const secrets = await started.tenant('canary', { owners: [] });
  watched.plant('a gateway credential', secrets.credential);
  watched.plant('a chat key', secrets.chatKey);
  const bob = await register(BOB, watched.plant('the password of Bob', canary('password-bob')));
  const carol = await started.signedIn('carol@canary.test');
  await started.belongs(carol, 'canary', 'owner');
  watched.plant('the session of Carol', carol.token);
  const base = '/v1/tenants/canary';

  await api.call(
    'POST',
    `${base}/invitations`,
    undefined,
    { email: BOB, role: 'member' },
    { cookie: carol.cookie, origin: 'https://portal.example.test' },
  );

  const invitation = watched.mailed('the token of an invitation', tokenOf(await mailWith('/invitation#')));
  const accepted = await bob.call('POST', '/v1/invitations/acceptances', { token: invitation });
  expect(accepted.status).toBeLessThan(300);

  const service = { name: 'machine', scopes: ['usage.read', 'budget.read', 'chat'] };
  const { body: issued } = await api.call('POST', `${base}/keys`, ADMIN_KEY, service);
  const key = watched.shown('a service key', issued.key);
  const { body: token } = await api.call('POST', '/v1/tokens', key, {});
  watched.shown('a service token', token.token);
  await api.call('GET', `${base}/usage`, token.token);
  await api.call('GET', `${base}/audit`, key);
  await api.call('GET', `${base}/usage?token=${key}`, watched.plant('a key that nobody issued', `cf-${canary('key')}`));
  await api.call(
    'GET',
    `/v1/nothing/${watched.plant('a secret in a path that does not exist', canary('path'))}`,
    undefined,
  );
  await api.call('DELETE', `${base}/keys/${issued.id}`, ADMIN_KEY);

  const { body: webhook } = await api.call('PUT', `${base}/webhook`, ADMIN_KEY, {
    url: 'https://hooks.example.test/in',
  });
  watched.shown('the secret of a webhook', webhook.secret);

  const requestId = randomUUID();
  await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, requestId));
  await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(requestId));
  await bob.call('POST', '/v1/account/chat-data');
  const { body: taken } = await api.call('POST', '/v1/gateway/chat-data/take', secrets.credential);
  if (taken.request !== null) {
    const text = watched.plant('what was said in a chat', canary('chat'));
    const part = `/v1/gateway/chat-data/${taken.request.id}/parts/0`;
    await api.call('PUT', part, secrets.credential, { text: JSON.stringify({ text }) });
  }
  const form = new URLSearchParams({ grant_type: 'authorization_code', code: watched.plant('a code', canary('code')) });
  await fetch(`${started.controlPlane.url}/oidc/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`tenant-canary:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form,
  });
  await api.call('POST', '/v1/oidc/signing-keys', ADMIN_KEY, {});
}

test('no secret that passes through shows in a log, in an answer or mail of others, in the audit or the database', async () => {
  watched.plant('the password of the mail server', smtpPassword);
  watched.plant('the encryption key', encryptionKey);
  watched.plant('the admin key', ADMIN_KEY);
  watched.plant('the operator key', OPERATOR_KEY);
  await signsInAndOut();
  await usesATenant();
  for (const path of [
    '/v1/audit?limit=500',
    '/v1/audit/export',
    '/v1/tenants/canary/audit',
    '/v1/tenants/canary',
    '/metrics',
  ]) {
    expect((await api.call('GET', path, ADMIN_KEY)).status, path).toBe(200);
  }
  expect(started.log.length).toBeGreaterThan(20);
  expect(await watched.search()).toEqual([]);
});

test('the search finds what is there: a secret in a log line, an answer, a column', async () => {
  const secret = watched.plant('a secret that was let out on purpose', canary('on-purpose'));
  started.log.push(`{"msg": "${Buffer.from(secret).toString('base64')}"}`);
  await started.pool.query(`insert into migration (name, sha256) values ('9999-canary.sql', $1)`, [secret]);
  await api.call('POST', '/v1/tenants/canary/users', ADMIN_KEY, {
    email: 'dave@canary.test',
    name: secret,
    role: 'user',
  });
  const found = await watched.search();
  expect(found).toEqual(
    expect.arrayContaining([
      expect.stringContaining('(base64) in the log'),
      expect.stringContaining('(plain) in the answer to POST /v1/tenants/canary/users'),
      expect.stringContaining('in migration.sha256'),
      expect.stringContaining('in member.name'),
    ]),
  );
});
