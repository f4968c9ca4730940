import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../routes/routes.ts';
import { ADMIN_KEY, type Api, authoriseBody, OPERATOR_KEY, settleBody, startApi } from '../testing/api.ts';
import { sha256Hex, type TenantSecrets, tenantSecrets } from '../testing/registrations.ts';
import type { Access } from './admit.ts';
import type { Route } from './route.ts';

let api: Api;
let own: TenantSecrets;
let foreign: TenantSecrets;

beforeAll(async () => {
  api = await startApi();
  own = await api.tenant('own');
  foreign = await api.tenant('foreign');
});
afterAll(() => api.stop());

type Caller = 'nobody' | 'wrong key' | 'gateway' | 'foreign gateway' | 'chat key' | 'operator' | 'admin';

const CALLERS: readonly Caller[] = [
  'nobody',
  'wrong key',
  'gateway',
  'foreign gateway',
  'chat key',
  'operator',
  'admin',
];

/** What the door says. 'in' means: past it, whatever the operation then answers. */
const DOOR: Partial<Record<Access, Record<Caller, 401 | 403 | 'in'>>> = {
  public: {
    nobody: 'in',
    'wrong key': 'in',
    gateway: 'in',
    'foreign gateway': 'in',
    'chat key': 'in',
    operator: 'in',
    admin: 'in',
  },
  operator: {
    nobody: 401,
    'wrong key': 401,
    gateway: 403,
    'foreign gateway': 403,
    'chat key': 401,
    operator: 'in',
    admin: 'in',
  },
  admin: {
    nobody: 401,
    'wrong key': 401,
    gateway: 403,
    'foreign gateway': 403,
    'chat key': 401,
    operator: 403,
    admin: 'in',
  },
  gateway: {
    nobody: 401,
    'wrong key': 401,
    gateway: 'in',
    'foreign gateway': 'in',
    'chat key': 401,
    operator: 403,
    admin: 403,
  },
  person: {
    nobody: 401,
    'wrong key': 401,
    gateway: 403,
    'foreign gateway': 403,
    'chat key': 401,
    operator: 403,
    admin: 403,
  },
  key: {
    nobody: 401,
    'wrong key': 401,
    gateway: 403,
    'foreign gateway': 403,
    'chat key': 401,
    operator: 403,
    admin: 403,
  },
};
/** Of a route that needs a permission in a tenant: people and their keys, for whom other tests speak, and the admin. */
const DOOR_OF_TENANT: Record<Caller, 401 | 403 | 'in'> = {
  nobody: 401,
  'wrong key': 401,
  gateway: 403,
  'foreign gateway': 403,
  'chat key': 401,
  operator: 403,
  admin: 'in',
};

const keyOf = (caller: Caller): string | undefined =>
  ({
    nobody: undefined,
    'wrong key': 'a-key-that-nobody-has',
    gateway: own.credential,
    'foreign gateway': foreign.credential,
    'chat key': own.chatKey,
    operator: OPERATOR_KEY,
    admin: ADMIN_KEY,
  })[caller];

/** The route's address with names that do not exist, so that a call that gets in changes nothing. */
const addressOf = (route: Route): string => route.path.replaceAll(/\{\w+\}/g, 'nothing-of-this-name');

describe.each(routes.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const))(
  '%s',
  (_name, route) => {
    test.each(CALLERS)('%s', async (caller) => {
      // A body that no route takes: who gets in is told so, who does not is turned away before it is read.
      const body = route.body === undefined ? undefined : { unknownField: true };
      const answer = await api.call(route.method.toUpperCase(), addressOf(route), keyOf(caller), body);
      const door = DOOR[route.access] ?? DOOR_OF_TENANT;
      const wanted = route.operatorToo && (caller === 'operator' || caller === 'admin') ? 'in' : door[caller];
      if (wanted === 'in') expect([200, 204, 400, 404, 422]).toContain(answer.status);
      else expect(answer.status).toBe(wanted);
      if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    });
  },
);

describe('a tenant’s credential', () => {
  test('does not reach another tenant’s requests: they do not exist for it', async () => {
    const requestId = randomUUID();
    await api.call('POST', '/v1/gateway/authorise', own.credential, authoriseBody(own, requestId));
    const settled = await api.call('POST', '/v1/gateway/settle', foreign.credential, settleBody(requestId));
    expect(settled).toMatchObject({ status: 404, body: { code: 'request_unknown' } });
    await api.call('POST', '/v1/gateway/void', foreign.credential, { requestId, reason: 'client_gone' });
    expect((await api.admin('GET', '/v1/tenants/own/budget')).body).toMatchObject({ heldNanoEur: '636756' });
    expect((await api.call('POST', '/v1/gateway/settle', own.credential, settleBody(requestId))).status).toBe(200);
  });

  test('cannot use another tenant’s key, in identify or authorise', async () => {
    const keySha256 = sha256Hex(foreign.chatKey);
    const identified = await api.call('POST', '/v1/gateway/identify', own.credential, { keySha256 });
    expect(identified).toMatchObject({ status: 401, body: { code: 'key_unknown' } });
    const body = authoriseBody(own, randomUUID(), { keySha256 });
    expect((await api.call('POST', '/v1/gateway/authorise', own.credential, body)).status).toBe(401);
  });

  test('has no way to name a tenant: an unknown field is refused', async () => {
    const body = authoriseBody(own, randomUUID(), { tenant: 'foreign' });
    const answer = await api.call('POST', '/v1/gateway/authorise', own.credential, body);
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'tenant' }] } });
  });

  test('stops working at once when the operator registers another', async () => {
    const secrets = await api.tenant('rotating');
    const { keySha256 } = { keySha256: sha256Hex(secrets.chatKey) };
    expect((await api.call('POST', '/v1/gateway/identify', secrets.credential, { keySha256 })).status).toBe(200);
    const { body } = await api.admin('GET', '/v1/tenants/rotating');
    const { tenant: _tenant, state: _state, budget: _budget, ...registration } = body;
    const renewed = tenantSecrets();
    await api.admin('PUT', '/v1/tenants/rotating', {
      ...registration,
      gatewayCredentialSha256: sha256Hex(renewed.credential),
      chatKeySha256: sha256Hex(renewed.chatKey),
    });
    expect((await api.call('POST', '/v1/gateway/identify', secrets.credential, { keySha256 })).status).toBe(401);
    const old = await api.call('POST', '/v1/gateway/identify', renewed.credential, { keySha256 });
    expect(old).toMatchObject({ status: 401, body: { code: 'key_unknown' } });
  });

  test('or chat key that another tenant has is refused at registration', async () => {
    const { body } = await api.admin('GET', '/v1/tenants/own');
    const { tenant: _tenant, state: _state, budget: _budget, ...registration } = body;
    const copied = await api.admin('PUT', '/v1/tenants/copycat', registration);
    expect(copied).toMatchObject({ status: 409, body: { code: 'credential_taken' } });
    const fresh = { ...registration, gatewayCredentialSha256: sha256Hex('another') };
    expect((await api.admin('PUT', '/v1/tenants/copycat', fresh)).status).toBe(409);
    expect((await api.admin('GET', '/v1/tenants/copycat')).status).toBe(404);
  });
});

test('no secret is in a log line or an answer, whatever goes wrong', async () => {
  const secrets = await api.tenant('canary');
  const { body: issued } = await api.admin('POST', '/v1/tenants/canary/keys', { name: 'ci' });
  const canaries = [secrets.credential, secrets.chatKey, ADMIN_KEY, OPERATOR_KEY, issued.key, 'sk-canary-0123456789'];
  const answers = await Promise.all([
    ...canaries.map((key) => api.call('GET', '/v1/tenants/canary', key)),
    ...canaries.map((key) => api.call('POST', '/v1/gateway/identify', secrets.credential, { keySha256: key })),
    ...canaries.map((key) => api.call('POST', '/v1/gateway/identify', secrets.credential, `{"broken": "${key}"`)),
    ...canaries.map((key) => api.call('PUT', '/v1/plans/x', OPERATOR_KEY, { displayName: key, marginPercent: key })),
    ...canaries.map((key) => api.call('GET', `/v1/tenants/canary/usage?cursor=${key}`, ADMIN_KEY)),
    api.admin('GET', '/v1/tenants/canary/keys'),
    api.admin('GET', '/metrics'),
  ]);
  const seen = JSON.stringify([api.log, answers.map(({ body }) => body)]);
  expect(api.log.length).toBeGreaterThan(20);
  for (const canary of canaries) expect(seen.includes(canary), `found ${canary.slice(0, 8)}…`).toBe(false);
});
