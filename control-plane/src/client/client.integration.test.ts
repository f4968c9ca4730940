import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { ADMIN_KEY, type Api, startApi } from '../testing/api.ts';
import { ApiProblem, createApiClient, dataOf, idempotencyKey } from './client.ts';
import { followEvents, type TenantEvent } from './events.ts';

let databases: TestDatabases;
let databaseUrl: string;
let api: Api;
beforeAll(async () => {
  databases = await startTestDatabases();
  databaseUrl = await databases.clone();
  api = await startApi({ databaseUrl });
  await api.tenant('demo');
});
afterAll(async () => {
  await api.stop();
  await databases.stop();
});

const client = () => createApiClient({ baseUrl: api.controlPlane.url, token: ADMIN_KEY });

describe('calls', () => {
  test('are typed by the description, and so are their answers', async () => {
    const params = { path: { tenant: 'demo' } };
    const { data } = await client().GET('/v1/tenants/{tenant}/budget', { params });
    expect(data?.grantedNanoEur).toMatch(/^\d+$/);
    // @ts-expect-error a path that no route has
    await client().GET('/v1/tenants/{tenant}/wallet', { params });
    // @ts-expect-error a parameter that is missing
    const call = () => client().GET('/v1/tenants/{tenant}/budget');
    expect(call).toBeTypeOf('function');
  });

  test('carry a key for their repetitions', async () => {
    const header = idempotencyKey();
    const grant = () =>
      dataOf(
        client().POST('/v1/tenants/{tenant}/grants', {
          params: { path: { tenant: 'demo' }, header },
          body: { source: 'top_up', amountNanoEur: '5000000000' },
        }),
      );
    const first = await grant();
    expect((await grant()).grant.id).toBe(first.grant.id);
    expect(idempotencyKey()).not.toEqual(header);
  });

  test('that are refused throw the problem where data is wanted', async () => {
    const refused = dataOf(client().GET('/v1/tenants/{tenant}', { params: { path: { tenant: 'nobody' } } }));
    await expect(refused).rejects.toMatchObject({ problem: { status: 404, code: 'tenant_unknown' } });
    await expect(refused).rejects.toBeInstanceOf(ApiProblem);
  });

  test('answered by something that is not the API still have a problem', async () => {
    const fetch = async () => new Response('<h1>Bad gateway</h1>', { status: 502 });
    const strange = createApiClient({ baseUrl: api.controlPlane.url, fetch });
    const refused = dataOf(strange.GET('/v1/plans'));
    await expect(refused).rejects.toMatchObject({ problem: { status: 502, code: 'unexplained' } });
  });
});

describe('events', () => {
  /** Follows until `signal` ends it. */
  function follow(more: { after?: string; tenant?: string }, signal: AbortSignal) {
    const events: TenantEvent[] = [];
    const connections: boolean[] = [];
    const options = {
      tenant: 'demo',
      // Read anew at each connection: the control plane that comes back listens elsewhere.
      fetch: ((input, init) => fetch(api.controlPlane.url + input, init)) as typeof fetch,
      token: ADMIN_KEY,
      retryMs: 20,
      onConnection: (connected: boolean) => connections.push(connected),
      ...more,
      signal,
    };
    const ended = (async () => {
      for await (const event of followEvents(options)) events.push(event);
    })();
    return { events, connections, ended };
  }

  async function append(n: number): Promise<void> {
    const pool = openPool({ url: databaseUrl, maxConnections: 1, onError: () => {} });
    await pool.query(`select event_append(id, 'test.happened', $1) from tenant where name = 'demo'`, [{ n }]);
    await pool.end();
  }

  test('go on where they ended when the server goes and comes back', async () => {
    const stop = new AbortController();
    await append(1);
    const { events, connections, ended } = follow({ after: '0' }, stop.signal);
    const numbers = () => events.filter(({ type }) => type === 'test.happened').map(({ data }) => data.n);
    await expect.poll(numbers).toEqual([1]);
    await api.stop();
    await append(2);
    api = await startApi({ databaseUrl });
    await expect.poll(numbers).toEqual([1, 2]);
    await append(3);
    await expect.poll(numbers).toEqual([1, 2, 3]);
    stop.abort();
    await ended;
    expect(connections[0]).toBe(true);
    expect(connections).toContain(false);
    const ids = events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('of a tenant that is not there throw: waiting would not help', async () => {
    const { ended } = follow({ tenant: 'nobody' }, new AbortController().signal);
    await expect(ended).rejects.toMatchObject({ problem: { code: 'tenant_unknown' } });
  });
});
