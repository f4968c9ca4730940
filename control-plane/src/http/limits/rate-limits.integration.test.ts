import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPool } from '../../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { type Api, OPERATOR_KEY, startApi } from '../../testing/api.ts';
import { tidyUp } from '../upkeep.ts';
import { WINDOW_SECONDS } from './quotas.ts';
import { RateLimits } from './rate-limits.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

/** Waits out the end of a window that is near: what follows is to happen within one. */
async function withinOneWindow(pool: pg.Pool): Promise<void> {
  await expect
    .poll(
      async () => {
        const { rows } = await pool.query<{ left: number }>(
          'select seconds_left as left from rate_take($1, 1, $2, 1)',
          ['test', WINDOW_SECONDS],
        );
        return rows[0]?.left;
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBeGreaterThan(20);
}

describe('a limit', () => {
  const log = pino({ level: 'silent' });
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = openPool({ url: await databases.clone(), onError: () => {} });
    await withinOneWindow(pool);
    return () => pool.end();
  });
  const replicas = (count: number, person: number) =>
    Array.from({ length: count }, () => new RateLimits(pool, log, { person }));
  const ada = [{ quota: 'person', id: 'ada' }] as const;

  test.each([1, 2, 5])('holds over %d replicas, to the call, and leaves little unused', async (count) => {
    const limit = 200;
    const all = replicas(count, limit);
    const verdicts = await Promise.all(Array.from({ length: 600 }, (_, n) => all[n % count]?.take(ada)));
    const allowed = verdicts.filter((verdict) => verdict?.allowed).length;
    expect(allowed).toBeLessThanOrEqual(limit);
    // What one has taken and not used the others cannot: a twentieth each, at most.
    expect(allowed).toBeGreaterThanOrEqual(limit - (count - 1) * (limit / 20));
  });

  test('is one caller’s alone', async () => {
    const [one] = replicas(1, 3);
    for (let call = 0; call < 3; call += 1) expect((await one?.take(ada))?.allowed).toBe(true);
    expect(await one?.take(ada)).toMatchObject({ allowed: false, quota: 'person' });
    expect((await one?.take([{ quota: 'person', id: 'bob' }]))?.allowed).toBe(true);
  });

  test('that is reached costs no more statements, and few before', async () => {
    let statements = 0;
    const query = (config: pg.QueryConfig) => {
      statements += 1;
      return pool.query(config);
    };
    const limits = new RateLimits({ query } as never, log, { person: 100 });
    for (let call = 0; call < 1_000; call += 1) await limits.take(ada);
    // 1, 2, 4, then 5 at a time: a twentieth.
    expect(statements).toBeLessThanOrEqual(25);
  });

  test('begins anew with the next window', async () => {
    const [one] = replicas(1, 1);
    expect((await one?.take(ada))?.allowed).toBe(true);
    expect((await one?.take(ada))?.allowed).toBe(false);
    await pool.query(`update rate_window set number = number - 1, ends_at = ends_at - interval '1 minute'`);
    const [fresh] = replicas(1, 1);
    expect((await fresh?.take(ada))?.allowed).toBe(true);
    await pool.query(`update rate_window set ends_at = ends_at - interval '1 hour'`);
    await tidyUp(pool);
    expect((await pool.query('select from rate_window')).rowCount).toBe(0);
  });

  test('that the database cannot tell refuses nobody', async () => {
    const away = { query: () => Promise.reject(new Error('away')) };
    const limits = new RateLimits(away as never, log, { person: 5 });
    for (let call = 0; call < 5; call += 1) expect((await limits.take(ada)).allowed).toBe(true);
  });
});

describe('the API', () => {
  let api: Api;
  let other: Api;
  beforeEach(async () => {
    const databaseUrl = await databases.clone();
    const quotas = { anonymous: 5, person: 6, address: 100, tenant: 20, admin: 10, expensive: 2 };
    api = await startApi({ databaseUrl, quotas, trustedProxies: ['127.0.0.0/8'] });
    other = await startApi({ databaseUrl, quotas, trustedProxies: ['127.0.0.0/8'] });
    await api.tenant('demo');
    await withinOneWindow(api.pool);
    return async () => {
      await other.stop();
      await api.stop();
    };
  });
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const openapi = (on: Api, address: string) => on.call('GET', '/openapi.json', undefined, undefined, from(address));

  test('counts strangers by address, over two replicas, and says what is left and when to go on', async () => {
    const answers = [];
    for (let call = 0; call < 5; call += 1) answers.push(await openapi(call % 2 === 0 ? api : other, '192.0.2.1'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"anonymous";q=5;w=60');
    expect(answers[0]?.headers.get('ratelimit')).toMatch(/^"anonymous";r=4;t=\d+$/);
    const refused = await openapi(other, '192.0.2.1');
    expect(refused).toMatchObject({
      status: 429,
      body: { code: 'rate_limited', retryAfterSeconds: expect.any(Number) },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit')).toMatch(/^"anonymous";r=0;t=\d+$/);
    expect((await openapi(api, '192.0.2.2')).status).toBe(200);
  });

  test('counts tried keys and guessed sessions as the stranger’s who tries them', async () => {
    for (let call = 0; call < 5; call += 1) {
      const tried = await api.call('GET', '/v1/plans', `guess-${call}-guess-guess`, undefined, from('192.0.2.1'));
      expect(tried.status).toBe(401);
    }
    expect((await api.call('GET', '/v1/plans', 'guess-x', undefined, from('192.0.2.1'))).status).toBe(429);
    expect((await api.admin('GET', '/v1/plans', undefined, from('192.0.2.1'))).status).toBe(200);
  });

  test('counts a person wherever they are, and a tenant’s people together', async () => {
    const people = await Promise.all(['a', 'b', 'c', 'd'].map((name) => api.signedIn(`${name}@example.test`)));
    for (const person of people) await api.belongs(person, 'demo', 'owner');
    const read = (person: (typeof people)[0], on: Api) => on.as(person, 'GET', '/v1/tenants/demo/budget');
    const [first] = people;
    if (first === undefined) throw new Error('nobody');
    const statuses = [];
    for (let call = 0; call < 8; call += 1) statuses.push((await read(first, call % 2 === 0 ? api : other)).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(6);
    expect(statuses.slice(-1)).toEqual([429]);
    const rest = [];
    for (const person of people.slice(1)) {
      for (let call = 0; call < 6; call += 1) rest.push(await read(person, api));
    }
    const refused = rest.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(4);
    expect(refused[0]?.body.detail).toContain('"tenant"');
    expect(refused[0]?.headers.get('ratelimit-policy')).toContain('"tenant";q=20;w=60');
  });

  test('does not let strangers use up a tenant’s limit', async () => {
    const outsider = await api.signedIn('outsider@example.test');
    for (let call = 0; call < 6; call += 1) {
      expect((await api.as(outsider, 'GET', '/v1/tenants/demo/budget')).status).toBe(404);
    }
    const { rowCount } = await api.pool.query(`select from rate_window where bucket like 'tenant:%'`);
    expect(rowCount).toBe(0);
  });

  test('never refuses health, the operator or a gateway', async () => {
    const secrets = await other.tenant('second');
    for (let call = 0; call < 15; call += 1) {
      expect((await api.call('GET', '/readyz', undefined, undefined, from('192.0.2.1'))).status).toBe(200);
      expect((await api.call('GET', '/v1/plans', OPERATOR_KEY)).status).toBe(200);
      const body = { keySha256: '0'.repeat(64) };
      expect((await api.call('POST', '/v1/gateway/identify', secrets.credential, body)).status).toBe(401);
    }
  });
});
