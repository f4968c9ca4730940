import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTestDatabases, type TestDatabases } from '@cloudfreedom/control-plane/database/test-database.ts';
import { type Api, startApi, type TestPerson } from '@cloudfreedom/control-plane/testing/api.ts';
import type { TenantSecrets } from '@cloudfreedom/control-plane/testing/registrations.ts';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pythonEnvironment } from '../images/python-env.ts';
import { progress } from '../process/progress.ts';
import { type Account, BOOTSTRAP, chatDatabase, fill, rowsWith } from './chat-database.ts';
import { startJob } from './job.ts';

let databases: TestDatabases;
let api: Api;
let bin: string;
beforeAll(async () => {
  bin = await pythonEnvironment('chat-data', progress('chat-data'));
  databases = await startTestDatabases();
  api = await startApi({ databaseUrl: await databases.clone() });
});
afterAll(async () => {
  await api?.stop();
  await databases?.stop();
});

let number = 0;
let tenant: string;
let secrets: TenantSecrets;
let url: string;
let chat: pg.Pool;
let anna: TestPerson;
let bob: TestPerson;
let annas: Account;
let bobs: Account;
beforeEach(async () => {
  number += 1;
  tenant = `chats-${number}`;
  secrets = await api.tenant(tenant, { owners: [] });
  url = await databases.clone();
  chat = await chatDatabase(url);
  anna = await api.signedIn(`anna.${number}@people.test`);
  bob = await api.signedIn(`bob.${number}@people.test`);
  for (const person of [anna, bob]) await api.belongs(person, tenant, 'owner');
  annas = { id: `a-${number}-anna`, email: anna.email, subject: anna.id };
  bobs = { id: `b-${number}-bob`, email: bob.email, subject: bob.id };
});
afterEach(() => chat.end());

const job = (credential = secrets.credential, to = api.controlPlane.url) => startJob(bin, to, credential, url);
const run = (credential?: string) => job(credential).ended;
const DONE = { code: 0, output: expect.any(String) };

const askExport = () => api.as(anna, 'POST', '/v1/account/chat-data');
const exported = async () => (await api.as(anna, 'GET', '/v1/account/export')).body.chats;
const erase = () => api.as(anna, 'POST', '/v1/account/erasure', { confirmation: anna.email });
/** Lets the pause after a failure, or the time of who took a request and died, go by. */
const timePasses = () =>
  api.pool.query(`update chat_data_request set taken_until = now() - interval '1 second' where state = 'waiting'`);
const stateOf = async (kind: string) => {
  const { rows } = await api.pool.query(
    'select state, last_error, found::int, subject is null as forgotten from chat_data_request where person_id = $1 and kind = $2',
    [anna.id, kind],
  );
  return rows;
};

test('without a request it ends at once, and needs no database', async () => {
  const idle = await startJob(bin, api.controlPlane.url, secrets.credential, 'postgresql://nowhere.invalid/none').ended;
  expect(idle).toEqual({ code: 0, output: '' });
});

describe('an export', () => {
  test('has all rows of one person, nobody else’s, and no secret', async () => {
    await fill(chat, annas, `Grüße 🌍 "quoted" \\ \n${'long '.repeat(110_000)}`);
    await fill(chat, bobs);
    await askExport();
    const { code, output } = await run();
    expect({ code, output }).toEqual(DONE);
    expect(output).not.toContain(anna.email);
    const [{ data, ...about }] = await exported();
    expect(about).toMatchObject({ tenant, state: 'done' });
    expect(data).toMatchObject({ accounts: [annas.id], user: [{ id: annas.id, settings: { ui: { theme: 'dark' } } }] });
    const expected = Object.keys(await rowsWith(chat, annas.id)).filter(
      (table) => !['auth', 'api_key', 'oauth_session'].includes(table),
    );
    expect(Object.keys(data).sort()).toEqual(['accounts', ...expected].sort());
    expect(data.chat[0].chat).toMatch(/^Grüße 🌍 "quoted" \\ \n(long ){110000}$/);
    const text = JSON.stringify(data);
    for (const foreign of ['SECRET', bobs.id, bob.email, BOOTSTRAP]) expect(text).not.toContain(foreign);
    expect(await stateOf('export')).toMatchObject([{ state: 'done', found: expected.length, forgotten: true }]);
  });

  test('of somebody who never came into the chat is an empty document', async () => {
    await fill(chat, bobs);
    await askExport();
    expect(await run()).toEqual(DONE);
    expect((await exported())[0].data).toEqual({ accounts: [] });
  });

  test('that was killed between its pieces is made anew by a later run, even where there is less by then', async () => {
    await fill(chat, annas, 'x'.repeat(200_000));
    await askExport();
    const gate = await startGate(5);
    const first = job(secrets.credential, gate.url);
    await gate.reached;
    first.child.kill('SIGKILL');
    await first.ended;
    gate.server.close();
    const parts = async () => Number((await api.pool.query('select count(*) as n from chat_data_part')).rows[0].n);
    expect(await parts()).toBeGreaterThan(0);
    // Half an hour it belongs to the one that died.
    expect(await run()).toEqual({ code: 0, output: '' });
    await timePasses();
    await chat.query(`update chat set title = 'short', chat = '"short"'`);
    await chat.query('delete from message');
    expect(await run()).toEqual(DONE);
    expect((await exported())[0].data.chat).toMatchObject([{ title: 'short' }]);
  });

  test('that is stopped in the middle says so, and is offered again soon', async () => {
    await fill(chat, annas, 'x'.repeat(200_000));
    await askExport();
    const gate = await startGate(5);
    const first = job(secrets.credential, gate.url);
    await gate.reached;
    first.child.kill('SIGTERM');
    expect((await first.ended).code).toBe(1);
    gate.server.close();
    expect(await stateOf('export')).toMatchObject([{ state: 'waiting', last_error: 'the run was stopped' }]);
  });

  test('is not for another tenant’s job', async () => {
    await fill(chat, annas);
    await askExport();
    const other = await api.tenant(`other-${number}`, { owners: [] });
    expect(await run(other.credential)).toEqual({ code: 0, output: '' });
    expect(await run('cfgw-nobody')).toMatchObject({ code: 1, output: expect.stringContaining('401') });
    expect(await stateOf('export')).toMatchObject([{ state: 'waiting', last_error: null }]);
  });
});

describe('an erasure', () => {
  test('leaves nothing of the person in the chat, and everything of the others', async () => {
    await fill(chat, annas);
    await fill(chat, bobs);
    const before = await rowsWith(chat, bobs.id);
    await erase();
    expect(await run()).toEqual(DONE);
    for (const trace of [annas.id, anna.email, anna.id]) expect(await rowsWith(chat, trace)).toEqual({});
    expect(await rowsWith(chat, bobs.id)).toEqual(before);
    // Of 25 rows; those that went with another one are not counted.
    expect(await stateOf('erase')).toMatchObject([{ state: 'done', found: 19, forgotten: true }]);
    expect(await run()).toEqual({ code: 0, output: '' });
  });

  test('that comes a second time is harmless', async () => {
    await fill(chat, annas);
    await fill(chat, bobs);
    const before = await rowsWith(chat, bobs.id);
    await erase();
    const gate = await startGate(2);
    const first = job(secrets.credential, gate.url);
    // It has erased, and dies before it can say so.
    await gate.reached;
    first.child.kill('SIGKILL');
    await first.ended;
    gate.server.close();
    expect(await rowsWith(chat, annas.id)).toEqual({});
    await timePasses();
    expect(await run()).toEqual(DONE);
    expect(await rowsWith(chat, bobs.id)).toEqual(before);
    expect(await stateOf('erase')).toMatchObject([{ state: 'done', found: 0 }]);
  });

  test('leaves a channel and a group that others are in to them, without the name of who made it', async () => {
    await fill(chat, annas);
    await fill(chat, bobs);
    await chat.query('update message set channel_id = $1 where user_id = $2', [annas.id, bobs.id]);
    await chat.query('update group_member set group_id = $1 where user_id = $2', [annas.id, bobs.id]);
    await erase();
    expect(await run()).toEqual(DONE);
    for (const table of ['channel', '"group"']) {
      expect((await chat.query(`select user_id from ${table} where id = $1`, [annas.id])).rows).toEqual([
        { user_id: 'erased' },
      ]);
    }
    expect((await chat.query('select group_id, user_id from group_member')).rows).toEqual([
      { group_id: annas.id, user_id: bobs.id },
    ]);
  });

  test('never takes the bootstrap account, nor one of the same address that is somebody else’s by now', async () => {
    await fill(chat, { ...annas, subject: '00000000-0000-4000-8000-000000000000' });
    await chat.query(`update "user" set oauth = $1 where id = 'root'`, [JSON.stringify({ oidc: { sub: anna.id } })]);
    const before = await rowsWith(chat, annas.id);
    await erase();
    expect(await run()).toEqual(DONE);
    expect(await rowsWith(chat, annas.id)).toEqual(before);
    expect(await rowsWith(chat, 'root')).toMatchObject({ user: 1, auth: 1 });
    expect(await stateOf('erase')).toMatchObject([{ state: 'done', found: 0 }]);
  });

  test('that the database refuses changes nothing, says why without anybody’s data, and is never given up', async () => {
    await fill(chat, annas);
    await chat.query('create table ours (user_id text references "user", id text)');
    await chat.query(`create function no() returns trigger language plpgsql as $$ begin raise 'not today'; end $$`);
    await chat.query('create trigger no before delete on note for each row execute function no()');
    await erase();
    await api.pool.query('update chat_data_request set attempts = 1000 where person_id = $1', [anna.id]);
    expect(await run()).toMatchObject({ code: 1, output: expect.stringContaining('not today') });
    expect(await rowsWith(chat, annas.id)).toMatchObject({ user: 1, auth: 1, chat: 1, memory: 1 });
    expect(await stateOf('erase')).toMatchObject([
      { state: 'waiting', last_error: 'the database refused with P0001: not today', forgotten: false },
    ]);
    await chat.query('drop trigger no on note');
    await timePasses();
    expect(await run()).toEqual(DONE);
    expect(await rowsWith(chat, annas.id)).toEqual({});
  });
});

/** Lets `calls` calls through to the control plane, and holds the next one for good; later connections go through. */
async function startGate(calls: number): Promise<{ url: string; reached: Promise<void>; server: Server }> {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  let left = calls - 1;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (left === 0) {
      left -= 1;
      resolve();
      return;
    }
    left -= 1;
    const answer = await fetch(api.controlPlane.url + request.url, {
      method: request.method ?? 'GET',
      headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, reached, server };
}
