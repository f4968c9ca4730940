import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { PERSON_REFERENCES } from '../../privacy/forget-person.ts';
import { type Api, authoriseBody, settleBody, startApi, type TestPerson } from '../../testing/api.ts';
import type { TenantSecrets } from '../../testing/registrations.ts';

let databases: TestDatabases;
let api: Api;
beforeAll(async () => {
  databases = await startTestDatabases();
  api = await startApi({ databaseUrl: await databases.clone() });
});
afterAll(async () => {
  await api.stop();
  await databases.stop();
});

let number = 0;
let tenant: string;
let secrets: TenantSecrets;
let anna: TestPerson;
beforeEach(async () => {
  number += 1;
  tenant = `private-${number}`;
  secrets = await api.tenant(tenant, { owners: [] });
  anna = await api.signedIn(`anna.${number}@people.test`, { name: `Annabella Unique-${number}` });
});

/** One request of Anna's in the chat, billed. */
async function chats(): Promise<string> {
  const requestId = randomUUID();
  const user = {
    externalId: `chat-user-${number}`,
    email: anna.email,
    name: `Annabella Unique-${number}`,
    role: 'user',
  };
  await api.call('POST', '/v1/gateway/authorise', secrets.credential, authoriseBody(secrets, requestId, { user }));
  await api.call('POST', '/v1/gateway/settle', secrets.credential, settleBody(requestId));
  return requestId;
}

const gateway = (method: string, path: string, body?: unknown) =>
  api.call(method, `/v1/gateway/chat-data/${path}`, secrets.credential, body);

/** Every column of every table, as text, that holds `needle`. */
async function whereIs(needle: string): Promise<string[]> {
  const { rows: columns } = await api.pool.query<{ t: string; c: string }>(
    `select table_name as t, column_name as c from information_schema.columns
     where table_schema = 'public' and table_name in (select tablename from pg_tables where schemaname = 'public')`,
  );
  const found: string[] = [];
  for (const { t, c } of columns) {
    const { rows } = await api.pool.query(
      `select 1 from "${t}" where strpos(lower("${c}"::text), lower($1)) > 0 limit 1`,
      [needle],
    );
    if (rows.length > 0) found.push(`${t}.${c}`);
  }
  return found;
}

describe('the terms', () => {
  test('can be read by anybody in both languages, and say that they are a draft', async () => {
    const { status, body } = await api.call('GET', '/v1/terms', undefined);
    expect(status).toBe(200);
    expect(body).toMatchObject({ version: '2026-11-30', isDraft: true });
    expect(body.texts.de).toContain('# Nutzungsbedingungen');
    expect(body.texts.en).toContain('# Terms of use');
  });

  test('are accepted once, in the version in force, with the time and the address', async () => {
    const { body: terms } = await api.call('GET', '/v1/terms', undefined);
    expect(await api.as(anna, 'POST', '/v1/account/consents', { version: '2020-01-01' })).toMatchObject({
      status: 409,
      body: { code: 'terms_outdated' },
    });
    expect((await api.as(anna, 'GET', '/v1/account/consents')).body).toMatchObject({ accepted: false, items: [] });
    const first = await api.as(anna, 'POST', '/v1/account/consents', { version: terms.version });
    const again = await api.as(anna, 'POST', '/v1/account/consents', { version: terms.version });
    expect(first).toMatchObject({ status: 201, body: again.body });
    expect((await api.as(anna, 'GET', '/v1/account/consents')).body).toMatchObject({
      accepted: true,
      items: [first.body],
    });
    const { rows } = await api.pool.query(
      'select host(address) as address from terms_acceptance where person_id = $1',
      [anna.id],
    );
    expect(rows).toEqual([{ address: '127.0.0.1' }]);
  });
});

describe('an export', () => {
  test('has all that is stored about a person, without secrets and without anything of others', async () => {
    await api.belongs(anna, tenant, 'owner');
    const requestId = await chats();
    const bob = await api.signedIn(`bob.${number}@people.test`);
    await api.belongs(bob, tenant, 'member');
    const { status, body, headers } = await api.as(anna, 'GET', '/v1/account/export');
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toContain('my-data.json');
    expect(body).toMatchObject({
      profile: [{ id: anna.id, email: anna.email, name: `Annabella Unique-${number}` }],
      sessions: [{ methods: ['password'] }],
      memberships: [{ tenant, role: 'owner' }],
      seats: [{ tenant, email: anna.email, chatAccount: `chat-user-${number}` }],
      usage: [{ tenant, requestId, totalNanoEur: '318378' }],
      ledger: [{ kind: 'hold' }, { kind: 'post' }],
      chats: [],
    });
    const text = JSON.stringify(body);
    expect(text).not.toContain(anna.token);
    expect(text).not.toContain(bob.email);
  });

  test('has the chats once the tenant has brought them, whatever their size', async () => {
    await api.belongs(anna, tenant, 'member');
    await chats();
    expect(await api.as(anna, 'POST', '/v1/account/chat-data')).toMatchObject({
      status: 202,
      body: { items: [{ tenant, state: 'waiting', answeredAt: null }] },
    });
    await api.as(anna, 'POST', '/v1/account/chat-data');
    const { request } = (await gateway('POST', 'take')).body;
    expect(request).toMatchObject({
      kind: 'export',
      personId: anna.id,
      externalIds: [`chat-user-${number}`],
      emails: [anna.email],
    });
    // Nobody else gets it meanwhile, and no other tenant at all.
    expect((await gateway('POST', 'take')).body).toEqual({ request: null });
    const other = await api.tenant(`other-${number}`);
    const part = `/v1/gateway/chat-data/${request.id}/parts/0`;
    expect((await api.call('PUT', part, other.credential, { text: '{}' })).status).toBe(404);
    const document = { user: { name: 'Annabella' }, chat: [{ title: 'ä'.repeat(30_000) }] };
    const pieces = JSON.stringify(document).match(/.{1,20000}/gs) ?? [];
    for (const [index, text] of pieces.entries()) {
      expect((await gateway('PUT', `${request.id}/parts/${index}`, { text })).status).toBe(204);
    }
    const done = { outcome: 'done', found: 2, parts: pieces.length };
    expect((await gateway('POST', `${request.id}/end`, { ...done, parts: 9 })).status).toBe(409);
    expect((await gateway('POST', `${request.id}/end`, done)).status).toBe(204);
    expect((await gateway('POST', `${request.id}/end`, done)).status).toBe(404);
    const { body } = await api.as(anna, 'GET', '/v1/account/export');
    expect(body.chats).toMatchObject([{ tenant, state: 'done', data: document }]);
    expect(await whereIs('ääääääääää')).toEqual([]);
  });

  test('that failed is offered again after a pause, without the pieces it had brought', async () => {
    await api.belongs(anna, tenant, 'member');
    await api.as(anna, 'POST', '/v1/account/chat-data');
    const { request } = (await gateway('POST', 'take')).body;
    await gateway('PUT', `${request.id}/parts/0`, { text: '{"half":' });
    await gateway('POST', `${request.id}/end`, { outcome: 'failed', error: 'the database was away' });
    expect((await gateway('POST', 'take')).body.request).toBeNull();
    const pass = `update chat_data_request set taken_until = taken_until - interval '4 minutes' where id = $1`;
    await api.pool.query(pass, [request.id]);
    expect((await gateway('POST', 'take')).body.request).toMatchObject({ id: request.id });
    const done = { outcome: 'done', found: 0, parts: 1 };
    expect((await gateway('POST', `${request.id}/end`, done)).status).toBe(409);
  });
});

describe('an erasure', () => {
  const erase = (person = anna, confirmation = person.email) =>
    api.as(person, 'POST', '/v1/account/erasure', { confirmation });

  test('leaves nothing of a person in any table but ids; what was billed stays, without a name', async () => {
    const bob = await api.signedIn(`bob.${number}@people.test`, { name: 'Bob' });
    await api.belongs(bob, tenant, 'owner');
    await api.belongs(anna, tenant, 'owner');
    await chats();
    await api.as(anna, 'POST', '/v1/account/consents', { version: '2026-11-30' });
    await api.as(bob, 'GET', `/v1/tenants/${tenant}/members`);
    await api.pool.query(`insert into identity (provider, subject, person_id, email) values ('github', $1, $2, $3)`, [
      `subject-${number}`,
      anna.id,
      anna.email,
    ]);
    expect(await whereIs(anna.email)).not.toEqual([]);
    const answer = await erase();
    expect(answer).toMatchObject({
      status: 200,
      body: {
        chats: [tenant],
        namedIn: [],
        kept: { ledgerLines: 2, usageLines: 1, until: expect.stringMatching(/-12-31$/) },
      },
    });
    expect(answer.headers.get('set-cookie')).toContain('Max-Age=0');
    expect(await whereIs(anna.email)).toEqual([]);
    expect(await whereIs(`Unique-${number}`)).toEqual([]);
    expect((await api.as(anna, 'GET', '/v1/account/consents')).status).toBe(401);
    // The chat's account is still to be found by the one who erases it; then its id goes, too.
    expect(await whereIs(`chat-user-${number}`)).toEqual(['member.former_external_id']);
    const { request } = (await gateway('POST', 'take')).body;
    expect(request).toMatchObject({ kind: 'erase', externalIds: [`chat-user-${number}`], emails: [anna.email] });
    await gateway('POST', `${request.id}/end`, { outcome: 'done', found: 7, parts: 0 });
    expect(await whereIs(`chat-user-${number}`)).toEqual([]);
    // Others see in the audit that somebody did it, and the chain holds.
    const platform = await api.admin('GET', `/v1/audit?actorId=${anna.id}`);
    expect(platform.body.items[0]).toMatchObject({
      action: 'person.erased',
      actor: { id: anna.id, name: null },
      address: null,
    });
    expect((await api.admin('GET', '/v1/audit/verification')).body).toMatchObject({ proven: true });
    const usage = await api.admin('GET', `/v1/tenants/${tenant}/usage`);
    expect(usage.body.items).toMatchObject([{ user: { email: null, name: null }, totalNanoEur: '318378' }]);
  });

  test('of the last owner of a tenant is refused, and says what to do first', async () => {
    await api.belongs(anna, tenant, 'owner');
    expect(await erase()).toMatchObject({
      status: 409,
      body: { code: 'hand_over_first', detail: expect.stringContaining(`"${tenant}"`) },
    });
    expect((await api.as(anna, 'GET', '/v1/account/consents')).status).toBe(200);
  });

  test('needs the own address and a recent proof', async () => {
    expect((await erase(anna, 'someone@people.test')).status).toBe(422);
    await api.pool.query(`update session set authenticated_at = now() - interval '1 hour' where person_id = $1`, [
      anna.id,
    ]);
    expect(await erase()).toMatchObject({ status: 403, body: { code: 'reauthentication_required' } });
  });

  test('frees the address: who registers with it later is somebody else', async () => {
    await erase();
    const later = await api.signedIn(anna.email);
    expect(later.id).not.toBe(anna.id);
    expect((await api.as(later, 'GET', '/v1/account/export')).body).toMatchObject({ memberships: [], audit: [] });
  });

  test('says where the address stands as an owner’s that the platform does not write', async () => {
    const named = `named-${number}`;
    const bob = await api.signedIn(`bob.${number}@people.test`);
    await api.tenant(named, { owners: [anna.email.toUpperCase(), bob.email] });
    const { body } = await erase();
    expect(body.namedIn).toEqual([named]);
    expect(await whereIs(anna.email)).toEqual([]);
  });
});

test('every reference to a person is known to the erasure', async () => {
  const { rows } = await api.pool.query<{ reference: string }>(
    `select c.conrelid::regclass || '.' || a.attname as reference from pg_constraint c
     join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.confrelid = 'person'::regclass`,
  );
  expect(rows.map(({ reference }) => reference).sort()).toEqual(Object.keys(PERSON_REFERENCES).sort());
});
