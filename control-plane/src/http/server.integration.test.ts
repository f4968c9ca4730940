import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, authoriseBody, OPERATOR_KEY, startApi } from '../testing/api.ts';
import { type TenantSecrets, tenantRegistration, tenantSecrets } from '../testing/registrations.ts';
import { MAX_BODY_BYTES } from './body.ts';

let api: Api;
let tenant: TenantSecrets;
beforeAll(async () => {
  api = await startApi();
  tenant = await api.tenant('demo');
});
afterAll(() => api.stop());

/** The same must hold before express and behind it. */
const DOORS = [
  ['hot path', 'POST', '/v1/gateway/identify', () => tenant.credential],
  ['express', 'PUT', '/v1/plans/starter', () => OPERATOR_KEY],
] as const;

describe.each(DOORS)('%s', (_name, method, path, key) => {
  test('a body that is no JSON gets a 400 that does not quote it', async () => {
    const answer = await api.call(method, path, key(), '{"secret": tru');
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_json', status: 400 } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  test('another media type gets a 415', async () => {
    const answer = await api.call(method, path, key(), '{}', { 'content-type': 'text/plain' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'not_json' } });
  });

  test('a wrong shape gets a 422 that says where', async () => {
    const answer = await api.call(method, path, key(), { unknownField: 1 });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_input' } });
    expect(answer.body.errors).toContainEqual({ path: 'unknownField', message: 'is not a known field' });
    expect(answer.body.errors.length).toBeGreaterThan(1);
  });

  test('a body above the limit gets a 413, declared or not', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(MAX_BODY_BYTES) });
    expect(await api.call(method, path, key(), large)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    const chunked = await fetch(api.controlPlane.url + path, {
      method,
      headers: { authorization: `Bearer ${key()}`, 'content-type': 'application/json' },
      body: new Blob([large]).stream(),
      duplex: 'half',
    } as RequestInit).catch((error: Error) => error);
    // The connection may end while the rest is being sent; what must not be is an answer other than 413.
    if (chunked instanceof Response) expect(chunked.status).toBe(413);
  });

  test('every answer has a request id: the caller’s where it is sane, else a fresh one', async () => {
    const given = await api.call(method, path, key(), {}, { 'x-request-id': 'call-12345678' });
    expect(given.headers.get('x-request-id')).toBe('call-12345678');
    const odd = await api.call(method, path, key(), {}, { 'x-request-id': 'a b' });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test('an unknown address is a 404, a known one with another method a 405 that says which', async () => {
  expect(await api.admin('GET', '/v2')).toMatchObject({ status: 404, body: { code: 'no_such_address' } });
  const wrong = await api.admin('POST', '/v1/tenants/demo');
  expect(wrong).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
  expect(wrong.headers.get('allow')).toBe('PUT, GET, DELETE, PATCH');
  expect((await api.admin('GET', '/v1/gateway/authorise')).status).toBe(405);
  expect((await api.admin('GET', '/v1/tenants/%ff')).status).toBe(400);
});

test('metrics count decisions and time routes, and name no tenant', async () => {
  await api.call('POST', '/v1/gateway/authorise', tenant.credential, authoriseBody(tenant, randomUUID()));
  const { body } = await api.call('GET', '/metrics', undefined);
  expect(body).toContain('cloudfreedom_authorisations_total{outcome="granted"}');
  expect(body).toContain('cloudfreedom_http_request_seconds_bucket{le="0.002",route="authorise",status="200"}');
  expect(body).not.toContain('demo');
});

test('the database away: 503 that says so, not ready but alive, and well again by itself', async () => {
  const own = await startApi();
  try {
    const secrets = await own.tenant('demo');
    const url = new URL(own.controlPlane.databaseUrl.replace('@/', '@host/'));
    const client = new pg.Client({ connectionString: own.controlPlane.databaseUrl });
    await client.connect();
    client.on('error', () => {});
    await client.query(`alter role ${url.username} nologin`).catch(() => {});
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = current_user',
    );
    const body = authoriseBody(secrets, randomUUID());
    const answer = await own.call('POST', '/v1/gateway/authorise', secrets.credential, body);
    expect([200, 503]).toContain(answer.status);
    expect((await own.call('GET', '/healthz', undefined)).status).toBe(200);
    await client.end();
    const again = await own.call('POST', '/v1/gateway/authorise', secrets.credential, body);
    expect(again).toMatchObject({ status: 200, body: { outcome: 'granted' } });
  } finally {
    await own.stop();
  }
});

test('shutdown: not ready first, requests under way are answered, then nothing listens', async () => {
  const own = await startApi();
  const { port } = own.controlPlane;
  const body = JSON.stringify(tenantRegistration(tenantSecrets()));
  const head = [
    'PUT /v1/tenants/demo HTTP/1.1',
    'host: x',
    `authorization: Bearer ${OPERATOR_KEY}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  const ended = new Promise((resolve) => socket.on('close', resolve));
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 10)}`);
  // Its head is read before the shutdown begins: an answer to another connection shows that the server got to it.
  await own.call('GET', '/healthz', undefined);
  const stopped = own.stop();
  socket.write(body.slice(10));
  await Promise.all([stopped, ended]);
  expect(answer).toMatch(/^HTTP\/1.1 201 /);
  expect(answer.toLowerCase()).toContain('connection: close');
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});
