import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { patientFetch } from '../client/patient-fetch.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { ADMIN_KEY, type Api, type ApiAnswer, startApi } from '../testing/api.ts';
import { tidyUp } from './upkeep.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let api: Api;
let other: Api;
beforeEach(async () => {
  const databaseUrl = await databases.clone();
  api = await startApi({ databaseUrl });
  other = await startApi({ databaseUrl });
  await api.tenant('demo');
});
afterEach(async () => {
  await other.stop();
  await api.stop();
});

const PATH = '/v1/tenants/demo/keys';
const make = (on: Api, key: string, name = 'ci') => on.admin('POST', PATH, { name }, { 'idempotency-key': key });
const count = async () => Number((await api.pool.query(`select from api_key where name = 'ci'`)).rowCount);

test('a repetition gets the first answer, secret and all, on any replica, and has no effect', async () => {
  const first = await make(api, 'wish-1');
  expect(first.status).toBe(201);
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  for (const replica of [api, other]) {
    const again = await make(replica, 'wish-1');
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  }
  expect(await count()).toBe(1);
});

test('what is kept is sealed: the database holds no secret of it', async () => {
  const { body } = await make(api, 'wish-1');
  const { rows } = await api.pool.query<{ answer: Buffer }>('select answer from idempotency');
  expect(rows[0]?.answer.toString('latin1')).not.toContain(body.key);
  // Nor does it open as another's: what is copied to another row is not given out.
  await api.pool.query(`insert into idempotency select caller, route, 'stolen', payload, token, leased_until, status,
    answer, expires_at from idempotency`);
  expect((await make(api, 'stolen')).status).toBe(500);
});

test('twenty at once over two replicas have one effect, and all get its answer in the end', async () => {
  const tries = Array.from({ length: 20 }, (_, index) => make(index % 2 === 0 ? api : other, 'wish-1'));
  const answers = await Promise.all(tries);
  expect(await count()).toBe(1);
  const made = answers.filter(({ status }) => status === 201);
  expect(made.length).toBeGreaterThan(0);
  for (const answer of answers) {
    if (answer.status === 201) continue;
    expect(answer).toMatchObject({ status: 409, body: { code: 'idempotency_in_progress' } });
    expect(answer.headers.get('retry-after')).toBe('1');
  }
  const fetch = patientFetch({ firstWaitMs: 20 });
  const headers = {
    authorization: `Bearer ${ADMIN_KEY}`,
    'content-type': 'application/json',
    'idempotency-key': 'wish-2',
  };
  const patient = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const on = index % 2 === 0 ? api : other;
      const body = JSON.stringify({ name: 'ci' });
      const answer = await fetch(on.controlPlane.url + PATH, { method: 'POST', headers, body });
      return ((await answer.json()) as { key: string }).key;
    }),
  );
  expect(new Set(patient).size).toBe(1);
  expect(await count()).toBe(2);
});

describe('the same key', () => {
  test('with another body, or another path, is refused', async () => {
    await api.tenant('second');
    await make(api, 'wish-1');
    expect(await make(api, 'wish-1', 'else')).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    const elsewhere = await api.admin(
      'POST',
      '/v1/tenants/second/keys',
      { name: 'ci' },
      { 'idempotency-key': 'wish-1' },
    );
    expect(elsewhere).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await count()).toBe(1);
  });

  test('of another route or another caller is another key', async () => {
    const boss = await api.signedIn('boss@example.test', { platformAdmin: true });
    const first = await make(api, 'wish-1');
    const theirs = await api.as(boss, 'POST', PATH, { name: 'ci' }, { 'idempotency-key': 'wish-1' });
    expect(theirs.status).toBe(201);
    expect(theirs.body.key).not.toBe(first.body.key);
    const user = { externalId: 'u', email: 'u@example.test', name: 'U', role: 'user' };
    const created = await api.admin('POST', '/v1/tenants/demo/users', user, { 'idempotency-key': 'wish-1' });
    expect(created.body.code).not.toBe('idempotency_key_reused');
  });

  test('after a refusal is decided anew: a refusal changed nothing', async () => {
    const body = { name: 'ci', userId: randomUUID() };
    const refused = await api.admin('POST', PATH, body, { 'idempotency-key': 'wish-1' });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect((await api.pool.query('select from idempotency')).rowCount).toBe(0);
    expect((await make(api, 'wish-1')).status).toBe(201);
  });
});

describe('a first try whose process died', () => {
  const abandon = (ago: string) =>
    api.pool.query(
      `update idempotency set status = null, answer = null, leased_until = clock_timestamp() - $1::interval`,
      [ago],
    );

  test('stands in the way while its lease lasts, and not for longer', async () => {
    await make(api, 'wish-1');
    await abandon('-1 minute');
    expect(await make(api, 'wish-1')).toMatchObject({ status: 409, body: { code: 'idempotency_in_progress' } });
    await abandon('1 millisecond');
    expect((await make(api, 'wish-1')).status).toBe(201);
  });

  test('does not let its key be used for something else', async () => {
    await make(api, 'wish-1');
    await abandon('1 millisecond');
    expect((await make(api, 'wish-1', 'else')).status).toBe(422);
  });

  test('is taken up by one of many', async () => {
    await make(api, 'wish-1');
    await abandon('1 millisecond');
    const answers: ApiAnswer[] = await Promise.all(Array.from({ length: 10 }, () => make(api, 'wish-1')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
    expect(await count()).toBe(2);
  });
});

test('a key is good for a day, then it is taken away and may be used anew', async () => {
  const first = await make(api, 'wish-1');
  await api.pool.query(`update idempotency set expires_at = clock_timestamp() + interval '1 minute'`);
  await tidyUp(api.pool);
  expect((await make(api, 'wish-1')).body).toEqual(first.body);
  await api.pool.query(`update idempotency set expires_at = clock_timestamp()`);
  const second = await make(api, 'wish-1');
  expect(second.body.key).not.toBe(first.body.key);
  await api.pool.query(`update idempotency set expires_at = clock_timestamp()`);
  await tidyUp(api.pool);
  expect((await api.pool.query('select from idempotency')).rowCount).toBe(0);
});

test.each(['a b', 'x'.repeat(201), 'ümlaut'])('the key "%s" is none', async (key) => {
  const answer = await make(api, Buffer.from(key).toString('latin1'));
  expect(answer).toMatchObject({ status: 400, body: { code: 'idempotency_key_malformed' } });
});

test('PUT and DELETE ignore it', async () => {
  const header = { 'idempotency-key': 'wish-1' };
  const { body } = await make(api, 'other');
  expect((await api.admin('DELETE', `${PATH}/${body.id}`, undefined, header)).status).toBe(204);
  expect((await api.pool.query(`select from idempotency where key = 'wish-1'`)).rowCount).toBe(0);
});
