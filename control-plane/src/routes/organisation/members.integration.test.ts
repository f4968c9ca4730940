import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { ADMIN_KEY, type Api, authoriseBody, OPERATOR_KEY, startApi, type TestPerson } from '../../testing/api.ts';
import { type TenantSecrets, tenantRegistration } from '../../testing/registrations.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let api: Api;
let secrets: TenantSecrets;
let owner: TestPerson;
let admin: TestPerson;
let member: TestPerson;
let outsider: TestPerson;
beforeEach(async () => {
  api = await startApi({ databaseUrl: await databases.clone() });
  secrets = await api.tenant('demo', { owners: [], maxMembers: 3 });
  [owner, admin, member, outsider] = (await Promise.all(
    ['owner', 'admin', 'member', 'outsider'].map((name) => api.signedIn(`${name}@example.test`, { name })),
  )) as [TestPerson, TestPerson, TestPerson, TestPerson];
  await api.belongs(owner, 'demo', 'owner');
  await api.belongs(admin, 'demo', 'admin');
  await api.belongs(member, 'demo', 'member');
});
afterEach(() => api.stop());

const MEMBERS = '/v1/tenants/demo/members';

async function seatOf(person: TestPerson): Promise<string | null> {
  const { body } = await api.as(owner, 'GET', `${MEMBERS}/${person.id}`);
  return body.userId;
}

async function roles(): Promise<Record<string, string>> {
  const { body } = await api.admin('GET', MEMBERS);
  return Object.fromEntries(
    body.items.map((item: { person: { name: string }; role: string }) => [item.person.name, item.role]),
  );
}

/** The chat asks for `person`, who is known to it as `externalId`. */
function chat(externalId: string, email: string) {
  const user = { externalId, email, name: 'Person', role: 'user' };
  return api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, randomUUID(), { user }));
}

async function events(): Promise<string[]> {
  const { rows } = await api.pool.query(
    `select type from event where type like 'member.%' or type = 'key.revoked' order by id`,
  );
  return rows.map(({ type }) => type);
}

describe('who sees the members of a tenant', () => {
  test('owners and admins do, page by page in the order of joining', async () => {
    const first = await api.as(admin, 'GET', `${MEMBERS}?limit=2`);
    expect(first).toMatchObject({
      status: 200,
      body: {
        items: [
          { person: { id: owner.id, name: 'owner', email: owner.email }, role: 'owner', userId: expect.any(String) },
          { person: { name: 'admin' }, role: 'admin' },
        ],
      },
    });
    const rest = await api.as(owner, 'GET', `${MEMBERS}?limit=2&cursor=${first.body.nextCursor}`);
    expect(rest.body).toMatchObject({ items: [{ role: 'member' }], nextCursor: null });
  });

  test('members do not, and for others there is no such tenant', async () => {
    expect(await api.as(member, 'GET', MEMBERS)).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
    expect(await api.as(outsider, 'GET', MEMBERS)).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    expect(await api.call('GET', MEMBERS, undefined)).toMatchObject({ status: 401 });
    expect(await api.call('GET', MEMBERS, OPERATOR_KEY)).toMatchObject({ status: 403 });
    expect(await api.call('GET', MEMBERS, ADMIN_KEY)).toMatchObject({ status: 200 });
  });

  test('somebody who does not belong to it is no member of it', async () => {
    const answer = await api.as(owner, 'GET', `${MEMBERS}/${outsider.id}`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'member_unknown' } });
  });
});

describe('another role', () => {
  const set = (by: TestPerson, of: TestPerson, role: string) => api.as(by, 'PATCH', `${MEMBERS}/${of.id}`, { role });

  test('is given by an admin, told on the stream, and gives the seat back where the role has none', async () => {
    const seat = await seatOf(member);
    expect(await set(admin, member, 'billing')).toMatchObject({ status: 200, body: { role: 'billing', userId: null } });
    const { body } = await api.admin('GET', '/v1/tenants/demo/users');
    expect(body.items).toHaveLength(2);
    expect(await set(admin, member, 'admin')).toMatchObject({ status: 200, body: { role: 'admin', userId: seat } });
    expect(await events()).toEqual(['member.role_changed', 'member.role_changed']);
  });

  test('with a seat is refused while none is free, and changes nothing', async () => {
    await set(owner, member, 'billing');
    await api.admin('POST', '/v1/tenants/demo/users', { email: 'last@example.test', role: 'user' });
    expect(await set(owner, member, 'member')).toMatchObject({ status: 409, body: { code: 'seats_taken' } });
    expect((await roles()).member).toBe('billing');
  });

  test('is not an admin’s to give to an owner, nor anybody’s to the last one', async () => {
    expect(await set(admin, owner, 'member')).toMatchObject({ status: 403, body: { code: 'owner_protected' } });
    expect(await set(owner, owner, 'admin')).toMatchObject({ status: 409, body: { code: 'last_owner' } });
    expect(await set(member, admin, 'member')).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
    expect(await set(outsider, admin, 'member')).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    expect(await roles()).toEqual({ owner: 'owner', admin: 'admin', member: 'member' });
  });

  test('cannot be ownership, which is handed over', async () => {
    expect(await set(owner, admin, 'owner')).toMatchObject({ status: 422, body: { code: 'invalid_input' } });
  });
});

describe('a removed member', () => {
  const remove = (by: TestPerson, who: TestPerson) => api.as(by, 'DELETE', `${MEMBERS}/${who.id}`);

  test('frees the seat; keys and chat end at once, and the chat says why', async () => {
    expect(await chat('chat-7', member.email)).toMatchObject({ status: 200 });
    const seat = await seatOf(member);
    const { body: key } = await api.admin('POST', '/v1/tenants/demo/keys', { name: 'own', userId: seat });
    expect(await remove(admin, member)).toMatchObject({ status: 204 });
    const { rows } = await api.pool.query('select revoked_at is not null as revoked from api_key where id = $1', [
      key.id,
    ]);
    expect(rows).toEqual([{ revoked: true }]);
    const { rows: told } = await api.pool.query('select person_id from oidc_logout');
    expect(told).toEqual([{ person_id: member.id }]);
    expect(await events()).toEqual(['member.left', 'key.revoked']);
    expect(await chat('chat-7', member.email)).toMatchObject({
      status: 403,
      body: { reason: 'member_removed', message: expect.stringContaining('no longer belong to Demo') },
    });
    // Nor does another account of the chat with the same address bring them back.
    expect(await chat('chat-8', member.email)).toMatchObject({ status: 403, body: { reason: 'member_removed' } });
    expect(await chat('chat-9', 'newcomer@example.test')).toMatchObject({ status: 200 });
  });

  test('keeps what the ledger says of them, and gets the same row back when added again', async () => {
    await chat('chat-7', member.email);
    const seat = await seatOf(member);
    await remove(owner, member);
    const users = await api.admin('GET', '/v1/tenants/demo/users');
    expect(users.body.items.map(({ id }: { id: string }) => id)).not.toContain(seat);
    const held = await api.pool.query('select 1 from hold where member_id = $1', [seat]);
    expect(held.rowCount).toBe(1);
    const added = await api.admin('POST', '/v1/tenants/demo/users', { email: member.email, role: 'user' });
    expect(added).toMatchObject({ status: 201, body: { id: seat, externalId: 'chat-7' } });
    expect(await chat('chat-7', member.email)).toMatchObject({ status: 200 });
    await api.pool.query('select ledger_assert_balanced()');
  });

  test('is removed by those who may, and an owner only by an owner', async () => {
    expect(await remove(member, admin)).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
    expect(await remove(outsider, admin)).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    expect(await remove(admin, owner)).toMatchObject({ status: 403, body: { code: 'owner_protected' } });
    expect(await remove(owner, outsider)).toMatchObject({ status: 404, body: { code: 'member_unknown' } });
    expect(await remove(owner, owner)).toMatchObject({ status: 409, body: { code: 'last_owner' } });
  });

  test('of one tenant keeps keys and seat in another', async () => {
    await api.tenant('other', { owners: [] });
    await api.belongs(member, 'other', 'member');
    await remove(owner, member);
    const { rows } = await api.pool.query(
      `select t.name, m.removed_at is null as seated from member m join tenant t on t.id = m.tenant_id
       where m.email = $1 order by t.name`,
      [member.email],
    );
    expect(rows).toEqual([
      { name: 'demo', seated: false },
      { name: 'other', seated: true },
    ]);
  });
});

describe('leaving', () => {
  const leave = (who: TestPerson) => api.as(who, 'DELETE', `${MEMBERS}/me`);

  test('is anybody’s own will, but the last owner’s', async () => {
    expect(await leave(member)).toMatchObject({ status: 204 });
    expect(await leave(member)).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    expect(await leave(owner)).toMatchObject({ status: 409, body: { code: 'last_owner' } });
    expect(await roles()).toEqual({ owner: 'owner', admin: 'admin' });
  });

  test('of two owners at the same time leaves one of them', async () => {
    await api.pool.query(`update membership set role = 'owner' where person_id = $1`, [admin.id]);
    const answers = await Promise.all([leave(owner), leave(admin)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  });
});

test('a seat more in the plan is a seat for whoever asks next', async () => {
  await api.admin('POST', '/v1/tenants/demo/users', { email: 'a@example.test', role: 'user' });
  expect(await chat('chat-1', 'b@example.test')).toMatchObject({ status: 403, body: { reason: 'seats_taken' } });
  await api.call('PUT', '/v1/tenants/demo', OPERATOR_KEY, tenantRegistration(secrets, { owners: [], maxMembers: 4 }));
  expect(await chat('chat-1', 'b@example.test')).toMatchObject({ status: 200 });
});
