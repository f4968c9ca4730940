import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type Api, PORTAL_URL, startApi, type TestPerson } from '../testing/api.ts';

let api: Api;
let owner: TestPerson;
let outsider: TestPerson;

beforeAll(async () => {
  api = await startApi();
  await api.tenant('own');
  await api.tenant('foreign');
  owner = await api.signedIn('owner@example.test');
  outsider = await api.signedIn('outsider@example.test');
  await api.belongs(owner, 'own', 'owner');
  await api.belongs(outsider, 'foreign', 'owner');
});
afterAll(() => api.stop());

const budget = '/v1/tenants/own/budget';

describe('a person who is signed in', () => {
  test('reaches their own tenant, as its role allows', async () => {
    expect(await api.as(owner, 'GET', budget)).toMatchObject({ status: 200, body: { tenant: 'own' } });
  });

  test('does not learn whether a tenant exists that they are not in', async () => {
    const foreign = await api.as(outsider, 'GET', budget);
    const nothing = await api.as(outsider, 'GET', '/v1/tenants/nothing/budget');
    expect(foreign).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    expect(foreign.body.detail.replace('own', 'nothing')).toBe(nothing.body.detail);
  });

  test('is let in by cookie alone, and a wrong key beside it is not made up for', async () => {
    const headers = { cookie: owner.cookie };
    expect((await api.call('GET', budget, undefined, undefined, headers)).status).toBe(200);
    expect((await api.call('GET', budget, 'a-wrong-key', undefined, headers)).status).toBe(401);
    expect((await api.call('GET', budget, ADMIN_KEY, undefined, headers)).status).toBe(200);
  });

  test('is out once the session has ended, is revoked, or the person is locked', async () => {
    for (const [index, change] of [
      `update session set expires_at = now() where person_id = $1`,
      `update session set revoked_at = now() where person_id = $1`,
      `update session set last_seen_at = now() - interval '8 days' where person_id = $1`,
      `update person set state = 'locked' where id = $1`,
    ].entries()) {
      const person = await api.signedIn(`p${index}@example.test`);
      await api.belongs(person, 'own', 'member');
      expect((await api.as(person, 'GET', budget)).status).toBe(200);
      await api.pool.query(change, [person.id]);
      expect((await api.as(person, 'GET', budget)).status, change).toBe(401);
    }
  });
});

describe('another site', () => {
  const write = (headers: Record<string, string>) =>
    api.call('POST', '/v1/tenants/own/grants', undefined, {}, { cookie: owner.cookie, ...headers });

  test.each([
    ['its origin', { origin: 'https://evil.example.test' }],
    ['a tenant’s chat', { origin: 'https://own.example.test' }],
    ['an opaque origin', { origin: 'null' }],
    ['no origin, but what the browser says of it', { 'sec-fetch-site': 'cross-site' }],
    ['nothing at all', {}],
  ])('cannot change anything with a person’s cookie: %s', async (_name, headers: Record<string, string>) => {
    expect(await write(headers)).toMatchObject({ status: 403, body: { code: 'cross_site' } });
  });

  test('is told apart from the portal, which is let through to the permission check', async () => {
    expect(await write({ origin: PORTAL_URL })).toMatchObject({ status: 403, body: { code: 'key_not_allowed' } });
    expect((await write({ 'sec-fetch-site': 'same-origin' })).body.code).toBe('key_not_allowed');
  });
});
