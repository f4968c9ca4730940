import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { MAX_OWNED_TENANTS } from '../../organisation/resource/create-tenant.ts';
import { PORTAL_MANAGER } from '../../organisation/resource/portal-fields.ts';
import { ADMIN_KEY, type Api, OPERATOR_KEY, startApi, type TestPerson } from '../../testing/api.ts';
import { startTestCluster, type TestCluster } from '../../testing/cluster.ts';
import { tenantRegistration, tenantSecrets } from '../../testing/registrations.ts';

let databases: TestDatabases;
let kubernetes: TestCluster;
beforeAll(async () => {
  [databases, kubernetes] = await Promise.all([startTestDatabases(), startTestCluster()]);
});
afterAll(async () => {
  await databases?.stop();
  await kubernetes?.stop();
});

const GIT = 'argocd-controller';
const PLAN = {
  displayName: 'Starter',
  pricePerMonthNanoEur: '9990000000',
  monthlyBudgetNanoEur: '25000000000',
  maxMembers: 2,
  modelClasses: ['mini'],
  marginPercent: 20,
};

let api: Api;
let ada: TestPerson;
let bob: TestPerson;
/** A name of this test alone: the cluster is shared by all. */
let name: string;
let count = 0;
beforeEach(async () => {
  api = await startApi({ databaseUrl: await databases.clone(), kubernetes: kubernetes.kubeconfigPath });
  ada = await api.signedIn('ada@example.test', { name: 'Ada' });
  bob = await api.signedIn('bob@example.test', { name: 'Bob' });
  name = `tenant-${++count}`;
  await api.call('PUT', '/v1/plans/starter', OPERATOR_KEY, PLAN);
  await api.call('PUT', '/v1/plans/solo', OPERATOR_KEY, { ...PLAN, maxMembers: 1 });
  await api.call('PUT', '/v1/plans/enterprise', OPERATOR_KEY, { ...PLAN, pricePerMonthNanoEur: null });
});
afterEach(() => api.stop());

const wish = (more: object = {}) => ({ name, displayName: 'Acme AG', plan: 'starter', language: 'en', ...more });
const create = (who: TestPerson, more: object = {}) => api.as(who, 'POST', '/v1/tenants', wish(more));
const change = (who: TestPerson, body: object) => api.as(who, 'PATCH', `/v1/tenants/${name}`, body);
const resource = (who: TestPerson) => api.as(who, 'GET', `/v1/tenants/${name}/resource`);
const specOf = async (of = name) => (await kubernetes.tenant(of))?.spec;

/** What the operator does as soon as it sees the Tenant. */
async function register(owners: string[] = [ada.email]) {
  const body = tenantRegistration(tenantSecrets(), { owners, maxMembers: 2 });
  expect((await api.call('PUT', `/v1/tenants/${name}`, OPERATOR_KEY, body)).status).toBe(201);
}

async function createAndRegister() {
  expect((await create(ada)).status).toBe(201);
  await register();
}

/** A Tenant that Git applies, and that the operator has registered. */
async function fromGit() {
  await kubernetes.applyAs(GIT, name, { displayName: 'Acme AG', plan: 'starter', owners: [ada.email] });
  await register();
}

const fieldsOf = (body: { fields: { path: string }[] }) =>
  Object.fromEntries(body.fields.map(({ path, ...field }) => [path, field]));

describe('making a tenant', () => {
  test('writes a Tenant under the portal’s manager, with its maker as the owner, who sees it at once', async () => {
    const made = await create(ada, { hostname: `${name}-chat`, models: ['gpt-4o-mini'] });
    expect(made).toMatchObject({ status: 201, body: { tenant: name, progress: { ready: false, conditions: [] } } });
    expect(made.headers.get('location')).toBe(`/v1/tenants/${name}/resource`);
    const tenant = await kubernetes.tenant(name);
    expect(tenant?.spec).toMatchObject({
      displayName: 'Acme AG',
      plan: 'starter',
      owners: [ada.email],
      hostname: `${name}-chat`,
      models: ['gpt-4o-mini'],
    });
    expect(tenant?.metadata.managedFields).toMatchObject([{ manager: PORTAL_MANAGER, operation: 'Apply' }]);
    expect(await resource(ada)).toMatchObject({ status: 200 });
    expect(await resource(bob)).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    await register();
    expect(await api.as(ada, 'GET', `/v1/tenants/${name}/members`)).toMatchObject({
      body: { items: [{ person: { id: ada.id }, role: 'owner', userId: expect.any(String) }] },
    });
    expect((await api.pool.query('select 1 from tenant_request')).rowCount).toBe(0);
    expect(await resource(ada)).toMatchObject({ status: 200 });
  });

  test.each([
    ['a host name of the platform', { name: 'portal' }, 422, 'name_reserved'],
    ['a name that is no DNS label', { name: 'Acme' }, 422, 'invalid_input'],
    ['a model name that cannot be', { models: ['no such'] }, 422, 'invalid_input'],
    ['a plan that there is not', { plan: 'golden' }, 422, 'plan_unknown'],
    ['a plan by agreement', { plan: 'enterprise' }, 403, 'plan_by_agreement'],
    ['a field that there is not', { postgres: {} }, 422, 'invalid_input'],
  ])('with %s is refused before the cluster is asked', async (_what, more, status, code) => {
    expect(await create(ada, more)).toMatchObject({ status, body: { code } });
    expect(await kubernetes.tenant(name)).toBeUndefined();
    expect((await api.pool.query('select 1 from tenant_request')).rowCount).toBe(0);
  });

  test('is for people who are signed in', async () => {
    expect(await api.call('POST', '/v1/tenants', undefined, wish())).toMatchObject({ status: 401 });
    expect(await api.call('POST', '/v1/tenants', ADMIN_KEY, wish())).toMatchObject({ status: 403 });
    expect(await api.call('POST', '/v1/tenants', OPERATOR_KEY, wish())).toMatchObject({ status: 403 });
  });

  test('by a name or host name that somebody has is refused, and takes nothing from them', async () => {
    await kubernetes.applyAs(GIT, name, { displayName: 'Theirs', plan: 'starter', owners: ['them@example.test'] });
    expect(await create(ada)).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    await expect
      .poll(async () => (await create(ada, { name: `${name}-x`, hostname: name })).body.code)
      .toBe('hostname_taken');
    expect(await specOf()).toMatchObject({ displayName: 'Theirs', owners: ['them@example.test'] });
    expect(await resource(ada)).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
  });

  test('by a closed tenant’s name is its owners’ alone, for its data and balance wait there', async () => {
    await register();
    await api.call('DELETE', `/v1/tenants/${name}`, OPERATOR_KEY);
    expect(await create(bob)).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    expect(await create(ada)).toMatchObject({ status: 201 });
  });

  test('by two people at the same time has one owner', async () => {
    const answers = await Promise.all([create(ada), create(bob)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const winner = answers[0]?.status === 201 ? ada : bob;
    expect(await specOf()).toMatchObject({ owners: [winner.email] });
    expect((await resource(winner === ada ? bob : ada)).status).toBe(404);
  });

  test('twice by the same person makes one, which they keep seeing', async () => {
    const answers = await Promise.all([create(ada), create(ada)]);
    expect(answers.map(({ status }) => status)).toContain(201);
    expect(await create(ada)).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    expect((await resource(ada)).status).toBe(200);
  });

  test('more than one person may own is refused', async () => {
    for (let n = 0; n < MAX_OWNED_TENANTS; n += 1)
      expect((await create(ada, { name: `${name}-${n}` })).status).toBe(201);
    expect(await create(ada)).toMatchObject({ status: 409, body: { code: 'too_many_tenants' } });
    expect((await create(bob)).status).toBe(201);
  });
});

describe('changing a tenant', () => {
  test('writes what is new, keeps what was said before, and takes back what is null', async () => {
    await createAndRegister();
    const first = await change(ada, {
      branding: { title: 'Acme chat' },
      budget: { keyMonthlyEur: '5.00', alertThresholdsPercent: [90] },
    });
    expect(first).toMatchObject({ status: 200, body: { spec: { branding: { title: 'Acme chat' } } } });
    expect(await change(ada, { branding: { title: null }, timeZone: 'Europe/Vienna' })).toMatchObject({ status: 200 });
    expect(await specOf()).toMatchObject({
      displayName: 'Acme AG',
      timeZone: 'Europe/Vienna',
      budget: { keyMonthlyEur: '5.00', alertThresholdsPercent: [90] },
      owners: [ada.email],
    });
    expect(await specOf()).not.toMatchObject({ branding: { title: expect.anything() } });
  });

  test('replaces thresholds that were the default, instead of adding to them', async () => {
    await createAndRegister();
    expect(await specOf()).toMatchObject({ budget: { alertThresholdsPercent: [50, 80, 100] } });
    await change(ada, { budget: { alertThresholdsPercent: [60] } });
    expect(await specOf()).toMatchObject({ budget: { alertThresholdsPercent: [60] } });
    await change(ada, { budget: { alertThresholdsPercent: null } });
    expect(await specOf()).toMatchObject({ budget: { alertThresholdsPercent: [50, 80, 100] } });
  });

  test('by many at the same time loses nobody’s change', async () => {
    await createAndRegister();
    await api.belongs(bob, name, 'admin');
    const answers = await Promise.all([
      change(ada, { displayName: 'Acme SE' }),
      change(bob, { branding: { title: 'B' } }),
      change(ada, { budget: { memberMonthlyEur: '3' } }),
      change(bob, { language: 'de' }),
      kubernetes.report(name, false, 'Progressing'),
    ]);
    expect(answers.slice(0, 4).map((answer) => answer?.status)).toEqual([200, 200, 200, 200]);
    expect(await specOf()).toMatchObject({
      displayName: 'Acme SE',
      branding: { title: 'B' },
      budget: { memberMonthlyEur: '3' },
      language: 'de',
    });
  });

  test('is each role’s as far as it may', async () => {
    await createAndRegister();
    await api.belongs(bob, name, 'admin');
    const boss = await api.signedIn('boss@example.test', { platformAdmin: true });
    const outsider = await api.signedIn('outsider@example.test');
    expect(await change(bob, { displayName: 'B' })).toMatchObject({ status: 200 });
    expect(await change(bob, { plan: 'solo' })).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
    expect(await change(bob, { deletionPolicy: 'Delete' })).toMatchObject({ status: 403 });
    expect(await change(ada, { deletionPolicy: 'Delete' })).toMatchObject({ status: 200 });
    // More budget than the plan gives is money.
    expect(await change(ada, { budget: { monthlyEur: '1000' } })).toMatchObject({
      status: 403,
      body: { code: 'not_permitted', errors: [{ path: 'budget.monthlyEur' }] },
    });
    expect(await change(boss, { budget: { monthlyEur: '1000' } })).toMatchObject({ status: 200 });
    expect(await change(outsider, { displayName: 'X' })).toMatchObject({ status: 404 });
    await api.pool.query(`update membership set role = 'member', member_id = member_id where person_id = $1`, [bob.id]);
    expect(await change(bob, { displayName: 'X' })).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
  });

  test('to what breaks a rule is refused with the field, and changes nothing', async () => {
    await createAndRegister();
    expect(await change(ada, { timeZone: 'Mars/Olympus' })).toMatchObject({
      status: 422,
      body: { code: 'invalid_input', errors: [{ path: 'timeZone' }] },
    });
    expect(await change(ada, { plan: 'golden' })).toMatchObject({ status: 422, body: { code: 'plan_unknown' } });
    expect(await change(ada, { plan: 'enterprise' })).toMatchObject({
      status: 403,
      body: { code: 'plan_by_agreement' },
    });
    expect(await change(ada, { hostname: 'www' })).toMatchObject({ status: 422 });
    await api.belongs(bob, name, 'member');
    expect(await change(ada, { plan: 'solo' })).toMatchObject({ status: 409, body: { code: 'plan_too_small' } });
    expect(await specOf()).toMatchObject({ plan: 'starter', timeZone: 'Europe/Berlin' });
  });

  test('of one that is registered and not in the cluster says so', async () => {
    await register();
    expect(await change(ada, { displayName: 'X' })).toMatchObject({
      status: 404,
      body: { code: 'tenant_resource_unknown' },
    });
    expect(await resource(ada)).toMatchObject({ status: 404, body: { code: 'tenant_resource_unknown' } });
  });
});

describe('a Tenant that Git holds', () => {
  test('appears like any other, its owner is the person with that address, and its fields are read-only with a reason', async () => {
    await fromGit();
    const { status, body } = await resource(ada);
    expect(status).toBe(200);
    const fields = fieldsOf(body);
    expect(fields.plan).toEqual({
      heldBy: 'other',
      manager: GIT,
      since: expect.any(String),
      editable: false,
      reason: 'field_managed',
      detail: `held by "${GIT}"; change it there`,
    });
    expect(fields.owners).toMatchObject({ heldBy: 'other', editable: false });
    expect(fields['branding.title']).toMatchObject({ heldBy: 'nobody', editable: true, reason: null });
    expect(fields['budget.monthlyEur']).toMatchObject({ editable: false, reason: 'kept_by_platform' });
    const boss = await api.signedIn('boss@example.test', { platformAdmin: true });
    expect(fieldsOf((await resource(boss)).body)['budget.monthlyEur']).toMatchObject({ editable: true });
    await api.belongs(bob, name, 'member');
    expect(fieldsOf((await resource(bob)).body)['branding.title']).toMatchObject({ reason: 'not_permitted' });
  });

  test('is changed here only where nobody holds it; all or nothing', async () => {
    await fromGit();
    expect(await change(ada, { branding: { title: 'Ours' } })).toMatchObject({ status: 200 });
    const refused = await change(ada, { displayName: 'Ours', branding: { title: 'Other' } });
    expect(refused).toMatchObject({
      status: 409,
      body: {
        code: 'field_managed',
        detail: `displayName is held by "${GIT}": change it there`,
        errors: [{ path: 'displayName', message: `is held by "${GIT}"` }],
      },
    });
    expect(await specOf()).toMatchObject({ displayName: 'Acme AG', branding: { title: 'Ours' } });
    const { fields } = (await resource(ada)).body;
    expect(fieldsOf({ fields })['branding.title']).toMatchObject({ heldBy: 'portal', manager: null });
  });

  test('stays as it is when it agrees by chance: a value that Git holds, too, is Git’s', async () => {
    await createAndRegister();
    await kubernetes.applyAs(GIT, name, { displayName: 'Acme AG' });
    expect(fieldsOf((await resource(ada)).body).displayName).toMatchObject({ heldBy: 'other', manager: GIT });
    expect(await change(ada, { displayName: 'Mine' })).toMatchObject({ status: 409, body: { code: 'field_managed' } });
  });

  test('is deleted and handed over in Git, not here', async () => {
    await fromGit();
    await api.belongs(bob, name, 'member');
    expect(await api.as(ada, 'POST', `/v1/tenants/${name}/deletion`, { name })).toMatchObject({
      status: 409,
      body: { code: 'field_managed' },
    });
    expect(await api.as(ada, 'POST', `/v1/tenants/${name}/ownership`, { person: bob.id })).toMatchObject({
      status: 409,
      body: { code: 'field_managed', errors: [{ path: 'owners' }] },
    });
    expect(await specOf()).toMatchObject({ owners: [ada.email] });
  });
});

describe('handing over', () => {
  const handOver = (who: TestPerson, to: TestPerson) =>
    api.as(who, 'POST', `/v1/tenants/${name}/ownership`, { person: to.id });
  const aged = (who: TestPerson) =>
    api.pool.query(`update session set authenticated_at = now() - interval '1 hour' where person_id = $1`, [who.id]);

  test('makes the other the owner, here and in the Tenant, and the former one admin', async () => {
    await createAndRegister();
    await api.belongs(bob, name, 'member');
    expect(await handOver(ada, bob)).toMatchObject({ status: 204 });
    expect(await specOf()).toMatchObject({ owners: [bob.email] });
    const { body } = await api.as(bob, 'GET', `/v1/tenants/${name}/members`);
    expect(body.items.map(({ role }: { role: string }) => role)).toEqual(['admin', 'owner']);
    expect(await handOver(ada, ada)).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
  });

  test('needs a recent proof of who one is, a member, and an owner', async () => {
    await createAndRegister();
    expect(await handOver(ada, bob)).toMatchObject({ status: 404, body: { code: 'member_unknown' } });
    expect(await handOver(bob, bob)).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
    await api.belongs(bob, name, 'admin');
    expect(await handOver(bob, bob)).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
    await aged(ada);
    expect(await handOver(ada, bob)).toMatchObject({ status: 403, body: { code: 'reauthentication_required' } });
    expect(await specOf()).toMatchObject({ owners: [ada.email] });
  });

  test('by the platform’s administration replaces every owner', async () => {
    await createAndRegister();
    await api.belongs(bob, name, 'billing');
    const answer = await api.admin('POST', `/v1/tenants/${name}/ownership`, { person: bob.id });
    expect(answer).toMatchObject({ status: 204 });
    expect(await specOf()).toMatchObject({ owners: [bob.email] });
  });
});

describe('one of several owners who goes', () => {
  const both = async (by: 'portal' | 'Git') => {
    const spec = { displayName: 'Acme AG', plan: 'starter', owners: [ada.email, bob.email] };
    await kubernetes.applyAs(by === 'Git' ? GIT : PORTAL_MANAGER, name, spec);
    await register([ada.email, bob.email]);
  };

  test('is named by the Tenant no longer, so nothing is mailed to them any more', async () => {
    await both('portal');
    expect(await api.as(ada, 'DELETE', `/v1/tenants/${name}/members/${bob.id}`)).toMatchObject({ status: 204 });
    expect(await specOf()).toMatchObject({ owners: [ada.email] });
    expect(await api.as(ada, 'DELETE', `/v1/tenants/${name}/members/me`)).toMatchObject({
      status: 409,
      body: { code: 'last_owner' },
    });
    expect(await specOf()).toMatchObject({ owners: [ada.email] });
  });

  test('by leaving or by another role, too', async () => {
    await both('portal');
    expect(await api.as(ada, 'PATCH', `/v1/tenants/${name}/members/${ada.id}`, { role: 'admin' })).toMatchObject({
      status: 200,
    });
    expect(await specOf()).toMatchObject({ owners: [bob.email] });
  });

  test('stays while Git names them', async () => {
    await both('Git');
    expect(await api.as(ada, 'DELETE', `/v1/tenants/${name}/members/me`)).toMatchObject({
      status: 409,
      body: { code: 'field_managed', errors: [{ path: 'owners' }] },
    });
    expect(await api.as(ada, 'GET', `/v1/tenants/${name}/members/${ada.id}`)).toMatchObject({
      body: { role: 'owner' },
    });
  });
});

test.each(['portal', 'Git'] as const)(
  'an owner who is erased is named no longer, where the %s holds the owners',
  async (by) => {
    const spec = { displayName: 'Acme AG', plan: 'starter', owners: [ada.email, bob.email] };
    await kubernetes.applyAs(by === 'Git' ? GIT : PORTAL_MANAGER, name, spec);
    await register([ada.email, bob.email]);
    const answer = await api.as(ada, 'POST', '/v1/account/erasure', { confirmation: ada.email });
    // What Git says is Git's: the answer tells where the address still is.
    expect(answer).toMatchObject({ status: 200, body: { namedIn: by === 'Git' ? [name] : [] } });
    expect(await specOf()).toMatchObject({ owners: by === 'Git' ? [ada.email, bob.email] : [bob.email] });
  },
);

describe('deleting', () => {
  const remove = (who: TestPerson, typed = name) =>
    api.as(who, 'POST', `/v1/tenants/${name}/deletion`, { name: typed });

  test('asks for the name, a recent proof and an owner; then the Tenant goes by its policy', async () => {
    await createAndRegister();
    await api.belongs(bob, name, 'admin');
    expect(await remove(bob)).toMatchObject({ status: 403, body: { code: 'not_permitted' } });
    expect(await remove(ada, 'other')).toMatchObject({ status: 422, body: { code: 'name_not_confirmed' } });
    await api.pool.query(`update session set authenticated_at = now() - interval '1 hour'`);
    expect(await remove(ada)).toMatchObject({ status: 403, body: { code: 'reauthentication_required' } });
    await api.pool.query('update session set authenticated_at = now()');
    expect(await kubernetes.tenant(name)).toBeDefined();
    expect(await remove(ada)).toMatchObject({ status: 202, body: { tenant: name, deletionPolicy: 'Retain' } });
    expect(await kubernetes.tenant(name)).toBeUndefined();
    expect(await remove(ada)).toMatchObject({ status: 404, body: { code: 'tenant_resource_unknown' } });
  });
});

describe('without a cluster', () => {
  test('what needs one says so, and all else works', async () => {
    const alone = await startApi({ databaseUrl: api.controlPlane.databaseUrl });
    expect(await alone.as(ada, 'POST', '/v1/tenants', wish())).toMatchObject({
      status: 503,
      body: { code: 'cluster_away' },
    });
    await register();
    await api.belongs(bob, name, 'member');
    const answer = await alone.as(ada, 'POST', `/v1/tenants/${name}/ownership`, { person: bob.id });
    expect(answer).toMatchObject({ status: 204 });
    await alone.stop();
  });

  test('one that does not answer is asked again, and nothing is changed', async () => {
    const config = await readFile(kubernetes.kubeconfigPath, 'utf8');
    const path = `${kubernetes.kubeconfigPath}.nobody`;
    await writeFile(path, config.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:9'));
    const away = await startApi({ databaseUrl: api.controlPlane.databaseUrl, kubernetes: path });
    const answer = await away.as(ada, 'POST', '/v1/tenants', wish());
    expect(answer).toMatchObject({ status: 503, body: { code: 'cluster_away', retryAfterSeconds: 5 } });
    expect(answer.headers.get('retry-after')).toBe('5');
    await away.stop();
  });
});

test('every signed-in person reads the plans with their prices; nobody else does', async () => {
  const { status, body } = await api.as(bob, 'GET', '/v1/plans');
  expect(status).toBe(200);
  expect(body.items.map(({ plan }: { plan: string }) => plan)).toEqual(['enterprise', 'solo', 'starter']);
  expect(body.items[2]).toMatchObject({ pricePerMonthNanoEur: '9990000000', supportLevel: 'community' });
  expect(await api.call('GET', '/v1/plans', undefined)).toMatchObject({ status: 401 });
  expect(await api.as(bob, 'PUT', '/v1/plans/starter', PLAN)).toMatchObject({ status: 403 });
});
