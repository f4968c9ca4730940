import { decodeProtectedHeader } from 'jose';
import * as openid from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openVault } from '../crypto/vault.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type Api, ENCRYPTION_KEY, OPERATOR_KEY, startApi, type TestPerson } from '../testing/api.ts';
import { sha256Hex, tenantRegistration } from '../testing/registrations.ts';
import { LOOK_AGAIN_MS } from './providers.ts';
import { addSigningKey, LEAD_HOURS, rotateWhenDue, signsFromOfNext } from './signing-keys.ts';
import { Browser } from './testing/browser.ts';
import { askForTokens, begin, cameBack, chatOf, signInTo } from './testing/chat.ts';

const HOUR_MS = 3_600_000;

let databases: TestDatabases;
let one: Api;
let two: Api;
let ada: TestPerson;
/** The clock of both replicas; only keys go by it. */
let clock: number;
/** Which replica the next request reaches. */
let next: () => Api;
const replica = () => next().controlPlane.url;
const acme = chatOf('acme', replica);
const vault = openVault(ENCRYPTION_KEY);

beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

beforeEach(async () => {
  clock = Date.now();
  const options = { databaseUrl: await databases.clone(), now: () => new Date(clock) };
  one = await startApi(options);
  two = await startApi(options);
  let turn = 0;
  next = () => {
    turn += 1;
    return turn % 2 === 0 ? one : two;
  };
  await one.tenant('acme', { oidc: acme.registration });
  ada = await one.signedIn('ada@example.test');
  await one.belongs(ada, 'acme', 'member');
});
afterEach(async () => {
  await one.stop();
  await two.stop();
});

const browser = () => new Browser(replica, ada.cookie);

/** The keys one replica shows, as a client would fetch them. */
async function published(api: Api): Promise<string[]> {
  const { body } = await api.call('GET', '/oidc/jwks', undefined);
  return body.keys.map(({ kid }: { kid: string }) => kid).sort();
}

const kidOf = (tokens: { id_token?: string | undefined }) => decodeProtectedHeader(tokens.id_token ?? '').kid;

test('two replicas share a sign-in, whichever of them each request reaches', async () => {
  const config = await acme.configure();
  for (let round = 0; round < 4; round += 1) {
    const tokens = await signInTo(acme, config, browser());
    await openid.fetchUserInfo(config, tokens.access_token, ada.id);
    await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
  }
  expect(await published(one)).toEqual(await published(two));
});

test('two replicas that start on an empty database make one key', async () => {
  const [first, second] = await Promise.all([published(one), published(two)]);
  expect(first).toHaveLength(1);
  expect(first).toEqual(second);
});

describe('a key that is rotated', () => {
  test('is published by every replica before any signs with it, and the one before still verifies', async () => {
    const config = await acme.configure();
    const before = await signInTo(acme, config, browser());
    const old = kidOf(before);
    const kid = await addSigningKey(one.pool, vault, signsFromOfNext(new Date(clock)));
    clock += LOOK_AGAIN_MS;
    for (const api of [one, two]) expect(await published(api)).toEqual([old, kid].sort());
    expect(kidOf(await signInTo(acme, config, browser()))).toBe(old);
    clock += LEAD_HOURS * HOUR_MS;
    const after = await signInTo(acme, config, browser());
    expect(kidOf(after)).toBe(kid);
    // The chat has had its key set since the beginning: the library found the new key in a fresh one.
    expect(after.claims()?.sub).toBe(ada.id);
    const hint = openid.buildEndSessionUrl(config, { id_token_hint: before.id_token ?? '' });
    expect((await browser().open(hint)).status).toBe(200);
  });

  test('in the middle of a sign-in disturbs nobody', async () => {
    const config = await acme.configure();
    await published(one);
    const person = browser();
    const { url, checks } = await begin(acme, config);
    const code = cameBack(acme, await person.open(url));
    const kid = await addSigningKey(one.pool, vault, new Date(clock));
    clock += LOOK_AGAIN_MS;
    const tokens = await openid.authorizationCodeGrant(config, code, { ...checks, idTokenExpected: true });
    expect(kidOf(tokens)).toBe(kid);
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    await openid.fetchUserInfo(config, renewed.access_token, ada.id);
  });

  test('is added by one replica when its time has come, and removed when nothing of it is left', async () => {
    const [first] = await published(one);
    const both = () => Promise.all([one, two].map(({ pool }) => rotateWhenDue(pool, vault, new Date(clock))));
    await both();
    expect(await published(one)).toEqual([first]);
    clock += 91 * 24 * HOUR_MS;
    await both();
    expect(await published(one)).toHaveLength(2);
    clock += 32 * 24 * HOUR_MS;
    await both();
    clock += LOOK_AGAIN_MS;
    expect(await published(two)).not.toContain(first);
  });

  test('by an admin waits its time, and at once where one has leaked: then no other is left', async () => {
    const path = '/v1/oidc/signing-keys';
    await published(one);
    const planned = await one.admin('POST', path, {});
    expect(planned).toMatchObject({ status: 201, body: { signs: false } });
    clock += 1_000;
    const urgent = await one.admin('POST', path, { leaked: true });
    expect(urgent).toMatchObject({ status: 201, body: { signs: true } });
    clock += LOOK_AGAIN_MS;
    for (const api of [one, two]) expect(await published(api)).toEqual([urgent.body.kid]);
    const { body } = await two.admin('GET', path);
    expect(body.items.map(({ kid }: { kid: string }) => kid)).toEqual([urgent.body.kid]);
    expect(JSON.stringify(body)).not.toContain('"d"');
    expect((await one.as(ada, 'POST', path, {})).status).toBe(403);
  });

  test('lies sealed in the database', async () => {
    await published(one);
    const { rows } = await one.pool.query<{ text: string }>('select encode(sealed, $1) as text from oidc_signing_key', [
      'escape',
    ]);
    expect(rows[0]?.text).not.toMatch(/"d":|RSA|PRIVATE/);
  });
});

describe('a client secret that is rolled', () => {
  test('and the one before both pass while pods roll; then the new one alone, and after a second roll not the first', async () => {
    const secrets = [acme.secret, 'second-secret-of-the-chat', 'third-secret-of-the-chat'] as const;
    const roll = async (secret: string) => {
      const registration = { ...acme.registration, clientSecretSha256: sha256Hex(secret) };
      const { rows } = await one.pool.query(`select registration from tenant where name = 'acme'`);
      const body = {
        ...tenantRegistration({ credential: '', chatKey: '' }),
        ...rows[0].registration,
        oidc: registration,
      };
      expect((await one.call('PUT', '/v1/tenants/acme', OPERATOR_KEY, body)).status).toBe(200);
    };
    const passes = async (secret: string) => {
      const form = { grant_type: 'refresh_token', refresh_token: 'unknown' };
      const { body } = await askForTokens(replica, { clientId: 'tenant-acme', secret }, form);
      return body.error === 'invalid_grant';
    };
    expect(await Promise.all(secrets.map(passes))).toEqual([true, false, false]);
    await roll(secrets[1]);
    expect(await Promise.all(secrets.map(passes))).toEqual([true, true, false]);
    await one.pool.query('update oidc_client set previous_until = now()');
    expect(await Promise.all(secrets.map(passes))).toEqual([false, true, false]);
    await roll(secrets[2]);
    expect(await Promise.all(secrets.map(passes))).toEqual([false, true, true]);
  });
});
