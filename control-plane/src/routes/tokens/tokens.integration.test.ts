import { createRemoteJWKSet, decodeJwt, jwtVerify, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, PORTAL_URL, startApi, type TestPerson } from '../../testing/api.ts';

const KEYS = '/v1/tenants/own/keys';
const BUDGET = '/v1/tenants/own/budget';
const USAGE = '/v1/tenants/own/usage';
/** Milliseconds within which a revocation has reached every replica. */
const REVOKED_WITHIN_MS = 1_000;

let api: Api;
let replica: Api;
let owner: TestPerson;
/** What clocks are ahead of the real time. */
let aheadMs = 0;

beforeAll(async () => {
  const now = () => new Date(Date.now() + aheadMs);
  api = await startApi({ now });
  replica = await startApi({ now, databaseUrl: api.controlPlane.databaseUrl });
  await api.tenant('own');
  await api.tenant('foreign');
  owner = await api.signedIn('owner@example.test');
  await api.belongs(owner, 'own', 'owner');
});
afterAll(async () => {
  await replica?.stop();
  await api?.stop();
});

async function serviceKey(scopes: string[] = ['budget.read', 'usage.read']): Promise<{ id: string; key: string }> {
  const { body, status } = await api.as(owner, 'POST', KEYS, { name: 'service', scopes });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

const exchange = (key: string, body: object = {}) => api.call('POST', '/v1/tokens', key, body);
const tokenOf = async (key: string, body: object = {}): Promise<string> => (await exchange(key, body)).body.token;

describe('a service key is exchanged for a token', () => {
  test('that does what the key may, at every replica, for fifteen minutes', async () => {
    const { key } = await serviceKey();
    const { body } = await exchange(key);
    expect(body).toMatchObject({ tokenType: 'Bearer', expiresInSeconds: 900, scopes: ['budget.read', 'usage.read'] });
    for (const one of [api, replica]) expect((await one.call('GET', USAGE, body.token)).status).toBe(200);
    expect((await api.call('GET', KEYS, body.token)).status).toBe(403);
    expect((await api.call('GET', '/v1/tenants/foreign/usage', body.token)).status).toBe(404);
    aheadMs = 900_000;
    expect((await api.call('GET', USAGE, body.token)).status).toBe(401);
    aheadMs = 0;
  });

  test('that does less than the key where that was asked for, and never more', async () => {
    const { key } = await serviceKey();
    const token = await tokenOf(key, { scopes: ['budget.read'] });
    expect((await api.call('GET', BUDGET, token)).status).toBe(200);
    expect((await api.call('GET', USAGE, token)).status).toBe(403);
    expect(await exchange(key, { scopes: ['keys.manage'] })).toMatchObject({
      status: 403,
      body: { code: 'scope_not_permitted' },
    });
  });

  test('without the key’s table: its calls go on while that is away', async () => {
    const { key } = await serviceKey();
    const token = await tokenOf(key);
    await api.pool.query('alter table api_key rename to api_key_away');
    try {
      expect((await api.call('GET', BUDGET, key)).status).toBe(500);
      expect((await api.call('GET', BUDGET, token)).status).toBe(200);
    } finally {
      await api.pool.query('alter table api_key_away rename to api_key');
    }
  });

  test('but no personal key, no person, no admin and no token', async () => {
    const { body } = await api.as(owner, 'POST', `${KEYS}/mine`, { name: 'mine', scopes: ['budget.read'] });
    expect(await exchange(body.key)).toMatchObject({ status: 403, body: { code: 'not_a_service_key' } });
    expect((await api.as(owner, 'POST', '/v1/tokens', {})).status).toBe(403);
    expect((await api.admin('POST', '/v1/tokens', {})).status).toBe(403);
    const { key } = await serviceKey();
    expect((await exchange(await tokenOf(key))).status).toBe(403);
  });
});

test('a token dies with its key, at once and at every replica', async () => {
  const { id, key } = await serviceKey();
  const token = await tokenOf(key);
  const refused = async (one: Api) => {
    for (;;) {
      const { status } = await one.call('GET', BUDGET, token);
      if (status === 401) return performance.now();
      expect(status).toBe(200);
    }
  };
  for (const one of [api, replica]) expect((await one.call('GET', BUDGET, token)).status).toBe(200);
  expect((await api.as(owner, 'DELETE', `${KEYS}/${id}`)).status).toBe(204);
  const revokedAt = performance.now();
  const took = (await Promise.all([refused(api), refused(replica)])).map((at) => at - revokedAt);
  console.log(`tokens of a revoked key worked for ${took.map(Math.round).join(' and ')} ms`);
  for (const milliseconds of took) expect(milliseconds).toBeLessThan(REVOKED_WITHIN_MS);
  expect(await exchange(key)).toMatchObject({ status: 401 });
});

test('a replica that starts later knows of the keys that were revoked before', async () => {
  const { id, key } = await serviceKey();
  const token = await tokenOf(key);
  await api.as(owner, 'DELETE', `${KEYS}/${id}`);
  const late = await startApi({ databaseUrl: api.controlPlane.databaseUrl });
  try {
    expect((await late.call('GET', BUDGET, token)).status).toBe(401);
  } finally {
    await late.stop();
  }
});

describe('what others verify', () => {
  test('is a token for them, by our public keys and nothing else', async () => {
    const { id, key } = await serviceKey();
    const audience = 'https://reports.example.test';
    const token = await tokenOf(key, { audience });
    const keys = createRemoteJWKSet(new URL(`${api.controlPlane.url}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(token, keys, { audience, issuer: PORTAL_URL });
    expect(payload).toMatchObject({ sub: id, client_id: id, tenant: 'own', scope: 'budget.read usage.read' });
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    // A service that was shown it cannot use it here.
    expect((await api.call('GET', BUDGET, token)).status).toBe(401);
  });

  test('shows no private part; that lies sealed in the database', async () => {
    const { body } = await api.call('GET', '/.well-known/jwks.json', undefined);
    expect(body.keys).toHaveLength(1);
    expect(Object.keys(body.keys[0]).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    const { rows } = await api.pool.query('select private_key, public_jwk from token_key');
    expect(rows[0].private_key.includes('PRIVATE KEY')).toBe(false);
    expect(rows[0].public_jwk).not.toHaveProperty('d');
  });
});

test('a forged token is refused: unsigned, cut short, or made longer', async () => {
  const { key } = await serviceKey();
  const token = await tokenOf(key);
  const claims = decodeJwt(token);
  const [head, body, signature] = token.split('.');
  const forged = [
    new UnsecuredJWT(claims).encode(),
    `${head}.${body}.${signature?.slice(0, -4)}`,
    `${head}.${Buffer.from(JSON.stringify({ ...claims, scope: 'keys.manage' })).toString('base64url')}.${signature}`,
  ];
  for (const one of forged) expect((await api.call('GET', BUDGET, one)).status, one).toBe(401);
});

test('replicas that need the first key at once agree on one', async () => {
  const own = await startApi();
  try {
    await own.tenant('own');
    const { body } = await own.admin('POST', KEYS, { name: 'x', scopes: ['budget.read'] });
    const replicas = await Promise.all(
      Array.from({ length: 3 }, () => startApi({ databaseUrl: own.controlPlane.databaseUrl })),
    );
    const tokens = await Promise.all(
      [own, ...replicas].map(async (one) => (await one.call('POST', '/v1/tokens', body.key, {})).body.token),
    );
    for (const one of [own, ...replicas])
      for (const token of tokens) expect((await one.call('GET', BUDGET, token)).status).toBe(200);
    const { rows } = await own.pool.query('select kid from token_key');
    expect(rows).toHaveLength(1);
    for (const replica of replicas) await replica.stop();
  } finally {
    await own.stop();
  }
});

test('no log line holds a key or a token', async () => {
  const { key } = await serviceKey();
  const token = await tokenOf(key);
  await api.call('GET', BUDGET, token);
  await api.call('GET', BUDGET, `${token}x`);
  const log = api.log.join('');
  for (const secret of [key, token]) expect(log.includes(secret.slice(10))).toBe(false);
});
