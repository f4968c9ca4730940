import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_PERSONAL_KEYS } from '../../keys/issue-key.ts';
import { KeyUse } from '../../keys/key-use.ts';
import { type Api, startApi, type TestPerson } from '../../testing/api.ts';
import { sha256Hex, type TenantSecrets } from '../../testing/registrations.ts';

const ALL = '/v1/tenants/own/keys';
const MINE = `${ALL}/mine`;
const DAY_MS = 86_400_000;

let api: Api;
let own: TenantSecrets;
let owner: TestPerson;
let admin: TestPerson;
let member: TestPerson;
let billing: TestPerson;
let outsider: TestPerson;

beforeAll(async () => {
  api = await startApi();
  own = await api.tenant('own');
  await api.tenant('foreign');
  const person = async (name: string, tenant: string, role: 'owner' | 'admin' | 'member' | 'billing') => {
    const made = await api.signedIn(`${name}@example.test`, { name });
    await api.belongs(made, tenant, role);
    return made;
  };
  owner = await person('owner', 'own', 'owner');
  admin = await person('admin', 'own', 'admin');
  member = await person('member', 'own', 'member');
  billing = await person('billing', 'own', 'billing');
  outsider = await person('outsider', 'foreign', 'owner');
});
afterAll(() => api.stop());

/** A personal key, or with `path` a service key. */
async function issue(person: TestPerson, more: object = {}, path = MINE) {
  const answer = await api.as(person, 'POST', path, { name: 'laptop', ...more });
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 201 });
  return answer.body;
}

const atGateway = (key: string) =>
  api.call('POST', '/v1/gateway/identify', own.credential, { keySha256: sha256Hex(key) });

describe('a personal key', () => {
  test('is shown once; afterwards only how it begins and ends', async () => {
    const issued = await issue(member);
    expect(issued.key).toMatch(/^cf-[\w-]{43}$/);
    expect(issued).toMatchObject({ personId: member.id, scopes: ['chat'], revokedAt: null, lastUsedAt: null });
    expect(issued.key.startsWith(issued.prefix) && issued.key.endsWith(issued.lastFour)).toBe(true);
    const { body } = await api.as(member, 'GET', MINE);
    expect(body.items.find(({ id }: { id: string }) => id === issued.id)).toEqual({ ...issued, key: undefined });
    const { rows } = await api.pool.query('select k::text as row from api_key k where id = $1', [issued.id]);
    expect(rows[0].row).not.toContain(issued.key);
  });

  test('uses the seat of its person at the gateway', async () => {
    const issued = await issue(member);
    expect(issued.userId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await atGateway(issued.key)).toMatchObject({ status: 200, body: { userId: issued.userId } });
  });

  test('lives for a year by default and for two at most', async () => {
    const days = ({ createdAt, expiresAt }: { createdAt: string; expiresAt: string }) =>
      Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / DAY_MS);
    expect(days(await issue(member))).toBe(365);
    expect(days(await issue(member, { expiresAt: new Date(Date.now() + 10 * DAY_MS).toISOString() }))).toBe(10);
    for (const expiresAt of [new Date(Date.now() + 731 * DAY_MS).toISOString(), '2020-01-01T00:00:00Z']) {
      const refused = await api.as(member, 'POST', MINE, { name: 'laptop', expiresAt });
      expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: 'expiresAt' }] } });
    }
  });

  test('is its person’s alone to list and revoke here', async () => {
    const issued = await issue(member);
    const { body } = await api.as(owner, 'GET', MINE);
    expect(body.items).toEqual([]);
    expect((await api.as(owner, 'DELETE', `${MINE}/${issued.id}`)).status).toBe(404);
    expect((await api.as(member, 'DELETE', `${MINE}/${issued.id}`)).status).toBe(204);
    expect((await atGateway(issued.key)).status).toBe(401);
    expect((await api.as(member, 'DELETE', `${MINE}/${issued.id}`)).status).toBe(204);
  });

  test('can be revoked by whoever manages the tenant’s keys', async () => {
    const issued = await issue(member);
    expect((await api.as(admin, 'DELETE', `${ALL}/${issued.id}`)).status).toBe(204);
    expect((await atGateway(issued.key)).status).toBe(401);
  });

  test('can never do more than its person, at no time', async () => {
    const refused = await api.as(member, 'POST', MINE, { name: 'x', scopes: ['chat', 'usage.read'] });
    expect(refused).toMatchObject({ status: 403, body: { code: 'scope_not_permitted' } });
    const climber = await api.signedIn('climber@example.test');
    await api.belongs(climber, 'own', 'admin');
    const { key } = await issue(climber, { scopes: ['usage.read', 'budget.read'] });
    expect((await api.call('GET', '/v1/tenants/own/usage', key)).status).toBe(200);
    await api.pool.query(`update membership set role = 'member' where person_id = $1`, [climber.id]);
    expect((await api.call('GET', '/v1/tenants/own/usage', key)).status).toBe(403);
    expect((await api.call('GET', '/v1/tenants/own/budget', key)).status).toBe(200);
  });

  test('is not for roles without a seat, nor for keys', async () => {
    expect(await api.as(billing, 'POST', MINE, { name: 'x' })).toMatchObject({ status: 403 });
    expect(await api.admin('POST', MINE, { name: 'x' })).toMatchObject({ status: 403, body: { code: 'not_a_person' } });
    const { key } = await issue(owner, { scopes: ['keys.manage'] });
    expect((await api.call('GET', ALL, key)).status).toBe(200);
    expect((await api.call('GET', MINE, key)).status).toBe(403);
  });

  test.each([
    ['the membership ends', 'delete from membership where person_id = $1'],
    ['the role loses its seat', `update membership set role = 'billing', member_id = null where person_id = $1`],
    ['the person is locked', `update person set state = 'locked' where id = $1`],
  ])('ends when %s', async (_what, change) => {
    const leaver = await api.signedIn(`leaver-${Math.random()}@example.test`);
    await api.belongs(leaver, 'own', 'member');
    const chat = await issue(leaver);
    const reader = await issue(leaver, { scopes: ['budget.read'] });
    await api.pool.query(change, [leaver.id]);
    expect((await atGateway(chat.key)).status).toBe(401);
    expect((await api.call('GET', '/v1/tenants/own/budget', reader.key)).status).toBe(401);
  });

  test(`is one of ${MAX_PERSONAL_KEYS} at most, however many are asked for at once`, async () => {
    const eager = await api.signedIn('eager@example.test');
    await api.belongs(eager, 'own', 'member');
    const asked = Array.from({ length: MAX_PERSONAL_KEYS + 5 }, (_, place) =>
      api.as(eager, 'POST', MINE, { name: `key ${place}` }),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(MAX_PERSONAL_KEYS);
    expect(statuses.filter((status) => status === 409)).toHaveLength(5);
  });
});

describe('a service key', () => {
  test('belongs to the tenant and to no person', async () => {
    const issued = await issue(admin, { name: 'ci', scopes: ['budget.read', 'chat', 'chat'] }, ALL);
    expect(issued).toMatchObject({ personId: null, userId: null, scopes: ['chat', 'budget.read'] });
    expect(await atGateway(issued.key)).toMatchObject({ status: 200, body: { kind: 'api', keyId: issued.id } });
    expect((await api.call('GET', '/v1/tenants/own/budget', issued.key)).status).toBe(200);
  });

  test('can do no more than its maker, be that a person or a key', async () => {
    const tooMuch = { name: 'x', scopes: ['billing.write'] };
    expect(await api.as(admin, 'POST', ALL, tooMuch)).toMatchObject({ status: 403 });
    expect((await issue(owner, tooMuch, ALL)).scopes).toEqual(['billing.write']);
    const maker = await issue(admin, { scopes: ['keys.manage', 'budget.read'] }, ALL);
    const by = (scopes: string[]) => api.call('POST', ALL, maker.key, { name: 'x', scopes });
    expect(await by(['budget.read'])).toMatchObject({ status: 201, body: { scopes: ['budget.read'] } });
    expect(await by(['chat'])).toMatchObject({ status: 403, body: { code: 'scope_not_permitted' } });
    expect(await by(['owner'])).toMatchObject({ status: 422 });
  });

  test('without the scope chat is a stranger at the gateway', async () => {
    const { key } = await issue(admin, { scopes: ['usage.read'] }, ALL);
    expect(await atGateway(key)).toMatchObject({ status: 401, body: { code: 'key_unknown' } });
    expect((await api.call('GET', '/v1/tenants/own/usage', key)).status).toBe(200);
  });

  test('opens its own tenant only, and does not learn of others', async () => {
    const { key } = await issue(admin, { scopes: ['budget.read'] }, ALL);
    const foreign = await api.call('GET', '/v1/tenants/foreign/budget', key);
    expect(foreign).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    expect(await api.call('GET', '/v1/tenants/own/usage', key)).toMatchObject({
      status: 403,
      body: { code: 'not_permitted' },
    });
    for (const path of ['/v1/tenants', '/v1/plans', '/v1/models'])
      expect((await api.call('GET', path, key)).status, path).toBe(403);
  });

  test('is not for members, and invisible to outsiders', async () => {
    for (const person of [member, billing]) {
      expect((await api.as(person, 'POST', ALL, { name: 'x' })).status).toBe(403);
      expect((await api.as(person, 'GET', ALL)).status).toBe(403);
    }
    const { id } = await issue(admin, {}, ALL);
    expect((await api.as(outsider, 'DELETE', `${ALL}/${id}`)).status).toBe(404);
    expect((await api.as(outsider, 'DELETE', `/v1/tenants/foreign/keys/${id}`)).status).toBe(404);
    expect((await api.as(member, 'DELETE', `${MINE}/${id}`)).status).toBe(404);
  });

  test('is refused from its expiry on', async () => {
    const { id, key } = await issue(admin, { scopes: ['chat', 'budget.read'] }, ALL);
    await api.pool.query('update api_key set expires_at = now() where id = $1', [id]);
    expect((await atGateway(key)).status).toBe(401);
    expect((await api.call('GET', '/v1/tenants/own/budget', key)).status).toBe(401);
  });

  test('on the budget of one user is for the platform’s admin to make', async () => {
    const { userId } = await issue(member);
    expect((await api.admin('POST', ALL, { name: 'x', userId })).body).toMatchObject({ userId, personId: null });
    expect(await api.as(owner, 'POST', ALL, { name: 'x', userId })).toMatchObject({ status: 403 });
  });
});

test('the chat’s own key is no way into the API', async () => {
  expect((await api.call('GET', '/v1/tenants/own/budget', own.chatKey)).status).toBe(401);
});

test('events tell of keys that come and go, without a secret', async () => {
  const issued = await issue(admin, { name: 'watched' }, ALL);
  await api.as(admin, 'DELETE', `${ALL}/${issued.id}`);
  await api.as(admin, 'DELETE', `${ALL}/${issued.id}`);
  const { rows } = await api.pool.query(`select type, data from event where data ->> 'keyId' = $1 order by id`, [
    issued.id,
  ]);
  const data = { keyId: issued.id };
  expect(rows).toEqual([
    { type: 'key.created', data },
    { type: 'key.revoked', data },
  ]);
});

test('uses are written down in batches: the latest of each key, by several processes at once', async () => {
  const issued = await Promise.all([issue(admin, {}, ALL), issue(admin, { scopes: ['usage.read'] }, ALL)]);
  const times = [new Date('2026-11-30T10:00:00Z'), new Date('2026-11-30T11:00:00Z')];
  const processes = times.map((at) => new KeyUse(api.pool, () => at));
  for (const process of processes) for (const { key } of issued) process.note(sha256Hex(key));
  await Promise.all(processes.map((process) => process.flush()));
  const ids = issued.map(({ id }) => id);
  const { rows } = await api.pool.query('select last_used_at from api_key where id = any($1)', [ids]);
  expect(rows.map((row) => row.last_used_at)).toEqual([times[1], times[1]]);
});
