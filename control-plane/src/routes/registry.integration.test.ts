import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, authoriseBody, OPERATOR_KEY, settleBody, startApi } from '../testing/api.ts';
import { modelRegistration, sha256Hex, tenantRegistration, tenantSecrets } from '../testing/registrations.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const operator = (method: string, path: string, body?: unknown) => api.call(method, path, OPERATOR_KEY, body);
const PLAN = {
  displayName: 'Starter',
  monthlyBudgetNanoEur: '25000000000',
  maxMembers: 1,
  modelClasses: ['mini'],
  marginPercent: 20,
};

describe.each([
  ['plans', 'plan', PLAN, { marginPercent: 30 }, { marginPercent: 101 }],
  ['models', 'model', modelRegistration(), { free: true, prices: null }, { prices: { inputUsdPerMillion: '-1' } }],
])('%s', (path, name, registration, change, fault) => {
  const at = `/v1/${path}/gpt-4o`;
  const place = path === 'plans' ? '/v1/plans/starter' : at;
  const named = { [name]: place.split('/').at(-1) };

  test('are created, read back, changed, listed and removed', async () => {
    expect(await operator('PUT', place, registration)).toMatchObject({
      status: 201,
      body: { ...named, ...registration },
    });
    expect(await operator('PUT', place, registration)).toMatchObject({
      status: 200,
      body: { ...named, ...registration },
    });
    expect(await operator('GET', place)).toMatchObject({ status: 200, body: { ...named, ...registration } });
    const changed = { ...registration, ...change };
    expect(await operator('PUT', place, changed)).toMatchObject({ status: 200, body: { ...named, ...changed } });
    expect((await operator('GET', `/v1/${path}`)).body.items).toMatchObject([{ ...named, ...changed }]);
    expect((await operator('DELETE', place)).status).toBe(204);
    expect(await operator('GET', place)).toMatchObject({ status: 404, body: { code: `${name}_unknown` } });
    expect((await operator('DELETE', place)).status).toBe(404);
  });

  test('are refused when they make no sense, and nothing is stored', async () => {
    expect(await operator('PUT', place, { ...registration, ...fault })).toMatchObject({ status: 422 });
    expect(await operator('PUT', `/v1/${path}/UPPER`, registration)).toMatchObject({ status: 422 });
    expect((await operator('GET', place)).status).toBe(404);
  });
});

describe('a tenant', () => {
  test('that is registered twice alike is written once', async () => {
    const registration = tenantRegistration(tenantSecrets());
    expect((await operator('PUT', '/v1/tenants/calm', registration)).status).toBe(201);
    const client = new pg.Client({ connectionString: api.controlPlane.databaseUrl });
    await client.connect();
    const version = async () => (await client.query(`select xmin, revision from tenant where name = 'calm'`)).rows;
    const before = await version();
    const again = await operator('PUT', '/v1/tenants/calm', registration);
    expect(again).toMatchObject({ status: 200, body: { tenant: 'calm', ...registration } });
    expect(await version()).toEqual(before);
    await client.end();
  });

  test('that many register at once exists once, with one plan grant', async () => {
    const registration = tenantRegistration(tenantSecrets());
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => operator('PUT', '/v1/tenants/rush', registration)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect((await api.admin('GET', '/v1/tenants/rush/grants')).body.items).toMatchObject([
      { source: 'plan', amountNanoEur: '25000000000' },
    ]);
  });

  test.each([
    ['timeZone', { timeZone: 'Mars/Olympus' }],
    ['timeZone', { timeZone: '+01:00' }],
    ['language', { language: 'fr' }],
    ['monthlyBudgetNanoEur', { monthlyBudgetNanoEur: '-1' }],
    ['monthlyBudgetNanoEur', { monthlyBudgetNanoEur: '99999999999999999' }],
    ['monthlyBudgetNanoEur', { monthlyBudgetNanoEur: 25 }],
    ['marginPercent', { marginPercent: 1.5 }],
    ['gatewayCredentialSha256', { gatewayCredentialSha256: 'cfgw-in-plain-text' }],
    ['note', { note: 'unknown' }],
  ])('with a wrong %s is refused by that name, and not made', async (path, wrong) => {
    const answer = await operator('PUT', '/v1/tenants/wrong', { ...tenantRegistration(tenantSecrets()), ...wrong });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } });
    expect((await operator('GET', '/v1/tenants/wrong')).status).toBe(404);
  });

  test('that is closed and registered again goes on with its balance; its last calls can still be settled', async () => {
    const secrets = await api.tenant('phoenix');
    const requestId = randomUUID();
    await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, requestId));
    expect((await operator('DELETE', '/v1/tenants/phoenix')).status).toBe(204);
    expect((await operator('GET', '/v1/tenants/phoenix')).body).toMatchObject({ state: 'closed' });
    const refused = await api.call(
      'POST',
      '/v1/gateway/authorise',
      secrets.credential,
      authoriseBody(secrets, randomUUID()),
    );
    expect(refused.status).toBe(403);
    expect((await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(requestId))).status).toBe(200);
    const renewed = tenantSecrets();
    expect((await operator('PUT', '/v1/tenants/phoenix', tenantRegistration(renewed))).status).toBe(200);
    expect((await operator('GET', '/v1/tenants/phoenix/budget')).body).toMatchObject({ postedNanoEur: '318378' });
    const body = authoriseBody(renewed, randomUUID());
    expect((await api.call('POST', '/v1/gateway/authorise', renewed.credential, body)).status).toBe(200);
  });

  test('that is erased leaves no personal data, and its name to someone else with a balance of their own', async () => {
    const secrets = await api.tenant('erased');
    await api.admin('POST', '/v1/tenants/erased/users', { email: 'gone@example.test', name: 'Gone', role: 'owner' });
    await api.admin(
      'POST',
      '/v1/tenants/erased/grants',
      { source: 'top_up', amountNanoEur: '7' },
      { 'idempotency-key': 'a' },
    );
    expect((await operator('DELETE', '/v1/tenants/erased?data=erase')).status).toBe(204);
    expect((await operator('GET', '/v1/tenants/erased')).status).toBe(404);
    const identify = { keySha256: sha256Hex(secrets.chatKey) };
    expect((await api.call('POST', '/v1/gateway/identify', secrets.credential, identify)).status).toBe(401);
    const client = new pg.Client({ connectionString: api.controlPlane.databaseUrl });
    await client.connect();
    const { rows } = await client.query(`select 1 from member where email = 'gone@example.test' or name = 'Gone'`);
    await client.end();
    expect(rows).toEqual([]);
    expect((await operator('PUT', '/v1/tenants/erased', tenantRegistration(tenantSecrets()))).status).toBe(201);
    expect((await operator('GET', '/v1/tenants/erased/budget')).body).toMatchObject({ grantedNanoEur: '25000000000' });
    expect((await api.admin('GET', '/v1/tenants/erased/users')).body.items).toEqual([]);
  });

  test('list is paged by name and loses none', async () => {
    const names: string[] = [];
    let cursor = '';
    do {
      const { body } = await operator('GET', `/v1/tenants?limit=2${cursor}`);
      names.push(...body.items.map(({ tenant }: { tenant: string }) => tenant));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toContain('calm');
    expect(names).toContain('phoenix');
  });
});
