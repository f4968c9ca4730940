import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashToken, newToken } from '../../crypto/token.ts';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { MAX_PENDING_INVITATIONS, MAX_TIMES_SENT } from '../../organisation/invitations.ts';
import { mailTo, tokenOf as tokenIn } from '../../testing/account.ts';
import { type Api, PORTAL_URL, startApi, type TestPerson } from '../../testing/api.ts';
import { startMailCatcher } from '../../testing/receivers.ts';

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

let api: Api;
let owner: TestPerson;
let guest: TestPerson;
beforeEach(async () => {
  api = await startApi({ databaseUrl: await databases.clone() });
  await api.tenant('demo', { owners: [], maxMembers: 3, displayName: 'Demo AG' });
  owner = await api.signedIn('owner@example.test', { name: 'Olga Owner' });
  guest = await api.signedIn('guest@example.test', { name: 'Gerd Guest' });
  await api.belongs(owner, 'demo', 'owner');
});
afterEach(() => api.stop());

const INVITATIONS = '/v1/tenants/demo/invitations';

/** Invites and gives the invitation a token that the test knows: the real one is in the mail only. */
async function invited(email: string, role = 'member'): Promise<{ id: string; token: string }> {
  const { status, body } = await api.as(owner, 'POST', INVITATIONS, { email, role });
  if (status !== 201) throw new Error(`the invitation was answered ${status} ${body.code}`);
  return { id: body.id, token: await tokenOf(body.id) };
}

async function tokenOf(id: string): Promise<string> {
  const token = newToken();
  await api.pool.query('update invitation set token_sha256 = $2 where id = $1', [id, hashToken(token)]);
  return token;
}

const accept = (who: TestPerson, token: string) => api.as(who, 'POST', '/v1/invitations/acceptances', { token });
const lookUp = (token: string) => api.call('POST', '/v1/invitations/lookup', undefined, { token });
const expire = (id: string) =>
  api.pool.query(`update invitation set expires_at = now() - interval '1 second' where id = $1`, [id]);
const roleOf = async (who: TestPerson) => (await api.as(owner, 'GET', `/v1/tenants/demo/members/${who.id}`)).body.role;

describe('an invitation', () => {
  test('is shown by its token, accepted once by the address it was sent to, and takes a seat', async () => {
    const { id, token } = await invited('Guest@Example.test', 'admin');
    expect(await lookUp(token)).toMatchObject({
      status: 200,
      body: {
        tenant: 'demo',
        tenantDisplayName: 'Demo AG',
        role: 'admin',
        inviterName: 'Olga Owner',
        email: 'Guest@Example.test',
      },
    });
    const listed = await api.as(owner, 'GET', INVITATIONS);
    expect(listed.body.items).toMatchObject([{ id, email: 'Guest@Example.test', expired: false, invitedBy: owner.id }]);
    expect(await accept(guest, token)).toMatchObject({ status: 201, body: { tenant: 'demo', role: 'admin' } });
    expect(await roleOf(guest)).toBe('admin');
    expect((await api.as(owner, 'GET', INVITATIONS)).body.items).toEqual([]);
    const { rows } = await api.pool.query(`select type, data from event where type like 'member.%' order by id`);
    expect(rows).toMatchObject([{ type: 'member.joined', data: { personId: guest.id, role: 'admin' } }]);
    expect(await accept(guest, token)).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
    expect(await lookUp(token)).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
  });

  test('is for one address only, and only once that is confirmed', async () => {
    const { token } = await invited('guest@example.test');
    const other = await api.signedIn('other@example.test');
    expect(await accept(other, token)).toMatchObject({ status: 403, body: { code: 'invitation_for_another_address' } });
    await api.pool.query('update person set email_verified_at = null where id = $1', [guest.id]);
    expect(await accept(guest, token)).toMatchObject({ status: 403, body: { code: 'invitation_for_another_address' } });
    expect(await api.call('POST', '/v1/invitations/acceptances', undefined, { token })).toMatchObject({ status: 401 });
    expect(await api.admin('POST', '/v1/invitations/acceptances', { token })).toMatchObject({ status: 403 });
    await api.pool.query('update person set email_verified_at = now() where id = $1', [guest.id]);
    expect(await accept(guest, token)).toMatchObject({ status: 201 });
  });

  test('that has expired, was withdrawn, guessed or never made opens nothing', async () => {
    const { id, token } = await invited('guest@example.test');
    await expire(id);
    expect(await accept(guest, token)).toMatchObject({ status: 410, body: { code: 'invitation_expired' } });
    expect(await lookUp(token)).toMatchObject({ status: 410, body: { code: 'invitation_expired' } });
    expect((await api.as(owner, 'GET', INVITATIONS)).body.items).toMatchObject([{ id, expired: true }]);
    const again = await invited('guest@example.test');
    expect(await api.as(owner, 'DELETE', `${INVITATIONS}/${again.id}`)).toMatchObject({ status: 204 });
    expect(await accept(guest, again.token)).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
    expect(await api.as(owner, 'DELETE', `${INVITATIONS}/${again.id}`)).toMatchObject({ status: 404 });
    expect(await lookUp(newToken())).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
    expect(await lookUp('short')).toMatchObject({ status: 422, body: { code: 'invalid_input' } });
  });

  test('sent once more has a new link; the former one opens nothing', async () => {
    const { id, token } = await invited('guest@example.test');
    const resend = () => api.as(owner, 'POST', `${INVITATIONS}/${id}`);
    const early = await resend();
    expect(early).toMatchObject({ status: 429, body: { code: 'invitation_sent_just_now' } });
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
    const later = () =>
      api.pool.query(`update invitation set sent_at = sent_at - interval '2 minutes' where id = $1`, [id]);
    await later();
    expect(await resend()).toMatchObject({ status: 200, body: { id } });
    expect(await accept(guest, token)).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
    await api.pool.query('update invitation set times_sent = $2 where id = $1', [id, MAX_TIMES_SENT]);
    await later();
    expect(await resend()).toMatchObject({ status: 409, body: { code: 'invitation_sent_often' } });
    expect(await accept(guest, await tokenOf(id))).toMatchObject({ status: 201 });
    expect(await resend()).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
  });

  test('of somebody who belongs to the tenant meanwhile ends, and takes no role from them', async () => {
    const { token } = await invited('guest@example.test', 'billing');
    await api.belongs(guest, 'demo', 'admin');
    expect(await accept(guest, token)).toMatchObject({ status: 201, body: { role: 'admin' } });
    expect(await roleOf(guest)).toBe('admin');
  });

  test('of a closed tenant opens nothing', async () => {
    const { token } = await invited('guest@example.test');
    await api.admin('DELETE', '/v1/tenants/demo');
    expect(await accept(guest, token)).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
  });
});

describe('inviting', () => {
  const invite = (who: TestPerson, email: string, role = 'member') => api.as(who, 'POST', INVITATIONS, { email, role });

  test('is for owners and admins, and for no other tenant', async () => {
    const body = { email: 'x@example.test', role: 'member' };
    expect(await invite(guest, 'x@example.test')).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    await api.belongs(guest, 'demo', 'member');
    expect(await invite(guest, 'x@example.test')).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
    expect(await api.as(guest, 'GET', INVITATIONS)).toMatchObject({ status: 403 });
    expect(await api.call('POST', INVITATIONS, undefined, body)).toMatchObject({ status: 401 });
    const byAdmin = await api.admin('POST', INVITATIONS, body);
    expect(byAdmin).toMatchObject({ status: 201, body: { invitedBy: null } });
    await api.tenant('other', { owners: [] });
    await api.belongs(guest, 'other', 'owner');
    const foreign = `/v1/tenants/other/invitations/${byAdmin.body.id}`;
    expect(await api.as(guest, 'DELETE', foreign)).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
    expect(await api.as(guest, 'POST', foreign)).toMatchObject({ status: 404, body: { code: 'invitation_unknown' } });
  });

  test('an owner, a member or the same address twice is refused', async () => {
    expect(await invite(owner, 'x@example.test', 'owner')).toMatchObject({ status: 422 });
    expect(await invite(owner, 'OWNER@example.test')).toMatchObject({ status: 409, body: { code: 'member_exists' } });
    expect(await invite(owner, 'x@example.test')).toMatchObject({ status: 201 });
    expect(await invite(owner, 'X@example.test')).toMatchObject({ status: 409, body: { code: 'invitation_exists' } });
  });

  test('more at a time than the named limit is refused', async () => {
    await api.pool.query(
      `insert into invitation (tenant_id, email, role, token_sha256, language, expires_at)
       select t.id, 'p' || n || '@example.test', 'member', sha256(n::text::bytea), 'de', now() + interval '1 day'
       from tenant t, generate_series(1, $1) n where t.name = 'demo'`,
      [MAX_PENDING_INVITATIONS],
    );
    expect(await invite(owner, 'x@example.test')).toMatchObject({
      status: 409,
      body: { code: 'too_many_invitations' },
    });
  });

  test('while no seat is free is refused, but for a role without one', async () => {
    await api.belongs(guest, 'demo', 'member');
    await api.belongs(await api.signedIn('third@example.test'), 'demo', 'member');
    expect(await invite(owner, 'x@example.test')).toMatchObject({ status: 409, body: { code: 'seats_taken' } });
    const { token } = await invited('x@example.test', 'billing');
    const x = await api.signedIn('x@example.test');
    expect(await accept(x, token)).toMatchObject({ status: 201, body: { role: 'billing' } });
  });

  test('of the same address by two at once makes one invitation', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => invite(owner, 'x@example.test')));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

test('of all who accept the last seat at the same time exactly one gets it, and the others may try again', async () => {
  await api.pool.query(`update tenant set max_members = 2 where name = 'demo'`);
  const people = await Promise.all([1, 2, 3, 4, 5].map((n) => api.signedIn(`p${n}@example.test`)));
  const tokens: string[] = [];
  for (const { email } of people) tokens.push((await invited(email)).token);
  const answers = await Promise.all(people.map((person, index) => accept(person, tokens[index] ?? '')));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  const late = answers.findIndex(({ status }) => status === 409);
  await api.pool.query(`update tenant set max_members = 3 where name = 'demo'`);
  expect(await accept(people[late] as TestPerson, tokens[late] ?? '')).toMatchObject({ status: 201 });
});

test('one token used twice at the same time lets its person in once', async () => {
  const { token } = await invited('guest@example.test');
  const answers = await Promise.all([1, 2, 3].map(() => accept(guest, token)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 404, 404]);
});

test('a removed member who is invited again gets the same seat with its history', async () => {
  await accept(guest, (await invited('guest@example.test')).token);
  const seat = async () => (await api.as(owner, 'GET', `/v1/tenants/demo/members/${guest.id}`)).body.userId;
  const before = await seat();
  await api.as(owner, 'DELETE', `/v1/tenants/demo/members/${guest.id}`);
  // Even under another address than before.
  await api.pool.query(`update person set email = 'new@example.test' where id = $1`, [guest.id]);
  expect(await accept(guest, (await invited('new@example.test')).token)).toMatchObject({ status: 201 });
  expect(await seat()).toBe(before);
});

test('the mail says who invites to what, in the language asked for, and its link opens the invitation', async () => {
  const mails = await startMailCatcher();
  const { databaseUrl } = api.controlPlane;
  // One that knows no mail server would take mails, too, and put them off.
  await api.stop();
  api = await startApi({ databaseUrl, smtpUrl: mails.url });
  const body = { email: 'guest@example.test', role: 'admin', language: 'de' };
  expect(await api.as(owner, 'POST', INVITATIONS, body)).toMatchObject({ status: 201 });
  const mail = await mailTo(mails, 'guest@example.test');
  expect(mail.subject).toBe('Einladung zu Demo AG');
  expect(mail.text).toContain('Olga Owner lädt Sie zu „Demo AG“ ein');
  expect(mail.text).toContain(`${PORTAL_URL}/invitation#token=${tokenIn(mail)}`);
  expect(await lookUp(tokenIn(mail))).toMatchObject({ status: 200, body: { tenant: 'demo', role: 'admin' } });
  expect(await accept(guest, tokenIn(mail))).toMatchObject({ status: 201 });
  expect(api.log.join('\n')).not.toContain(tokenIn(mail));
  await mails.close();
});
