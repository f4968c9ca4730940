import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inTransaction } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { type Api, authoriseBody, OPERATOR_KEY, startApi, type TestPerson } from '../testing/api.ts';
import { type TenantSecrets, tenantRegistration, tenantSecrets } from '../testing/registrations.ts';
import { handOver } from './hand-over.ts';
import { adoptOwnerships } from './ownerships.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let api: Api;
let ada: TestPerson;
let bob: TestPerson;
beforeEach(async () => {
  api = await startApi({ databaseUrl: await databases.clone() });
  ada = await api.signedIn('ada@example.test', { name: 'Ada' });
  bob = await api.signedIn('bob@example.test', { name: 'Bob' });
});
afterEach(() => api.stop());

async function register(name: string, secrets: TenantSecrets, owners: string[], more: object = {}) {
  const body = tenantRegistration(secrets, { owners, ...more });
  const { status } = await api.call('PUT', `/v1/tenants/${name}`, OPERATOR_KEY, body);
  expect([200, 201]).toContain(status);
}

async function roles(tenant: string): Promise<Record<string, string>> {
  const { rows } = await api.pool.query(
    `select p.email, s.role from membership s join person p on p.id = s.person_id join tenant t on t.id = s.tenant_id
     where t.name = $1`,
    [tenant],
  );
  return Object.fromEntries(rows.map(({ email, role }) => [email, role]));
}

/** What the confirmation of an address does. */
async function confirm(person: TestPerson, email = person.email) {
  await inTransaction(api.pool, async (client) => {
    await client.query('update person set email = $2, email_verified_at = now() where id = $1', [person.id, email]);
    await adoptOwnerships(client, person.id);
  });
}

const unconfirm = (person: TestPerson) =>
  api.pool.query('update person set email_verified_at = null where id = $1', [person.id]);

describe('whom a Tenant names as an owner', () => {
  test('is one when it is registered, whoever applied it', async () => {
    await register('demo', tenantSecrets(), ['ADA@example.test', 'nobody@example.test']);
    expect(await roles('demo')).toEqual({ 'ada@example.test': 'owner' });
  });

  test('is one as soon as the address is confirmed, and not a moment before', async () => {
    await unconfirm(ada);
    await register('demo', tenantSecrets(), ['ada@example.test']);
    expect(await roles('demo')).toEqual({});
    await confirm(ada);
    expect(await roles('demo')).toEqual({ 'ada@example.test': 'owner' });
  });

  test('is one at a change to that address, and the seat carries the new one', async () => {
    await register('first', tenantSecrets(), ['ada@example.test']);
    await register('second', tenantSecrets(), ['countess@example.test']);
    await confirm(ada, 'countess@example.test');
    expect(await roles('second')).toEqual({ 'countess@example.test': 'owner' });
    const { rows } = await api.pool.query('select distinct email from member');
    expect(rows).toEqual([{ email: 'countess@example.test' }]);
  });

  test('is never missed, however registration and confirmation fall together', async () => {
    for (let round = 0; round < 20; round += 1) {
      const person = await api.signedIn(`p${round}@example.test`);
      await unconfirm(person);
      await Promise.all([register(`t${round}`, tenantSecrets(), [person.email]), confirm(person)]);
      expect(await roles(`t${round}`)).toEqual({ [person.email]: 'owner' });
    }
  });

  test('owns it even when every seat is taken, and gets the next free one through the chat', async () => {
    const secrets = tenantSecrets();
    await api.tenant('models');
    await register('demo', secrets, ['ada@example.test', 'bob@example.test'], { maxMembers: 1 });
    const seated = () =>
      api.pool.query(
        'select 1 from membership s join tenant t on t.id = s.tenant_id where t.name = $1 and member_id is not null',
        ['demo'],
      );
    expect((await seated()).rowCount).toBe(1);
    await register('demo', secrets, ['ada@example.test', 'bob@example.test'], { maxMembers: 2 });
    for (const { email } of [ada, bob]) {
      const user = { externalId: `chat-${email}`, email, name: 'Person', role: 'user' };
      const body = authoriseBody(secrets, randomUUID(), { user });
      expect(await api.call('POST', '/v1/gateway/authorise', secrets.credential, body)).toMatchObject({ status: 200 });
    }
    expect((await seated()).rowCount).toBe(2);
  });
});

describe('a Tenant that names others', () => {
  test('gives them ownership, and whoever it had named stays as admin', async () => {
    const secrets = tenantSecrets();
    await register('demo', secrets, ['ada@example.test']);
    await register('demo', secrets, ['bob@example.test']);
    expect(await roles('demo')).toEqual({ 'ada@example.test': 'admin', 'bob@example.test': 'owner' });
  });

  test('leaves the owner it has as long as nobody else is there', async () => {
    const secrets = tenantSecrets();
    await register('demo', secrets, ['ada@example.test']);
    await register('demo', secrets, ['nobody@example.test']);
    expect(await roles('demo')).toEqual({ 'ada@example.test': 'owner' });
  });
});

test('handing over is not undone by the next registration', async () => {
  const secrets = tenantSecrets();
  await register('demo', secrets, ['ada@example.test']);
  await api.belongs(bob, 'demo', 'billing');
  const { rows } = await api.pool.query(
    `select t.id, a.id as account from tenant t join account a on a.tenant_id = t.id`,
  );
  expect(await handOver(api.pool, rows[0], ada.id, bob.id)).toBe('handed_over');
  await register('demo', secrets, ['ada@example.test'], { displayName: 'Renamed' });
  expect(await roles('demo')).toEqual({ 'ada@example.test': 'admin', 'bob@example.test': 'owner' });
  expect(await handOver(api.pool, rows[0], ada.id, ada.id)).toBe('not_owner');
  expect(await handOver(api.pool, rows[0], bob.id, randomUUID())).toBe('no_member');
});

test('an erased tenant forgets who belonged to it', async () => {
  await register('demo', tenantSecrets(), ['ada@example.test']);
  await api.call('DELETE', '/v1/tenants/demo?data=erase', OPERATOR_KEY);
  for (const table of ['membership', 'tenant_owner', 'invitation']) {
    expect((await api.pool.query(`select 1 from ${table}`)).rowCount).toBe(0);
  }
  const { rows } = await api.pool.query('select email, name from member');
  expect(rows).toEqual([{ email: null, name: null }]);
});
