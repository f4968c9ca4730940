import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { TENANTS } from '../../kubernetes/tenant-resources.ts';
import { type Api, OPERATOR_KEY, startApi, type TestPerson } from '../../testing/api.ts';
import { startTestCluster, type TestCluster } from '../../testing/cluster.ts';
import { type EventReader, readEvents } from '../../testing/event-reader.ts';
import { tenantRegistration, tenantSecrets } from '../../testing/registrations.ts';
import { tellStatus } from './tell-status.ts';

let databases: TestDatabases;
let kubernetes: TestCluster;
beforeAll(async () => {
  [databases, kubernetes] = await Promise.all([startTestDatabases(), startTestCluster()]);
});
afterAll(async () => {
  await databases?.stop();
  await kubernetes?.stop();
});

let databaseUrl: string;
let api: Api;
let ada: TestPerson;
let readers: EventReader[];
beforeEach(async () => {
  databaseUrl = await databases.clone();
  api = await startApi({ databaseUrl, kubernetes: kubernetes.kubeconfigPath });
  ada = await api.signedIn('ada@example.test');
  readers = [];
});
afterEach(async () => {
  for (const reader of readers) reader.close();
  await api.stop();
});

async function follow(who: TestPerson, name: string) {
  const url = `${api.controlPlane.url}/v1/tenants/${name}/progress`;
  const reader = await readEvents(url, undefined, { cookie: who.cookie });
  readers.push(reader);
  return reader;
}

const apply = (name: string) =>
  kubernetes.applyAs('kubectl', name, { displayName: 'Acme', plan: 'starter', owners: [ada.email] });
const register = (name: string) =>
  api.call('PUT', `/v1/tenants/${name}`, OPERATOR_KEY, tenantRegistration(tenantSecrets(), { owners: [ada.email] }));
const seen = ({ events }: EventReader) => events.map(({ type, data }) => (type === 'gone' ? 'gone' : data.ready));
const told = async (name: string) => {
  const { rows } = await api.pool.query(
    `select e.data from event e join tenant t on t.id = e.tenant_id
     where t.name = $1 and e.type = 'tenant.status_changed' order by e.id`,
    [name],
  );
  return rows.map(({ data }) => data.conditions[0]?.reason);
};

test('whoever wished a tenant sees it become ready, live, before it is registered and after', async () => {
  await api.call('PUT', '/v1/plans/starter', OPERATOR_KEY, {
    displayName: 'Starter',
    pricePerMonthNanoEur: '1',
    monthlyBudgetNanoEur: '1',
    maxMembers: 1,
    modelClasses: ['mini'],
    marginPercent: 0,
  });
  const body = { name: 'wished', displayName: 'Acme', plan: 'starter', language: 'en' };
  expect((await api.as(ada, 'POST', '/v1/tenants', body)).status).toBe(201);
  const reader = await follow(ada, 'wished');
  expect(reader).toMatchObject({ status: 200 });
  expect(reader.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  await expect.poll(() => seen(reader)).toEqual([false]);
  await kubernetes.report('wished', false, 'Progressing');
  await expect.poll(() => reader.events.at(-1)?.data.conditions[0]).toMatchObject({ reason: 'Progressing' });
  await register('wished');
  await kubernetes.report('wished', true, 'Available');
  await expect.poll(() => seen(reader)).toEqual([false, false, true]);
  expect(reader.events.at(-1)?.data).toEqual({
    tenant: 'wished',
    ready: true,
    current: true,
    deleting: false,
    url: 'https://wished.example.test',
    conditions: [{ type: 'Ready', status: 'True', reason: 'Available', message: '' }],
  });
});

test('who comes later is told where it is now; a Tenant that goes ends as gone', async () => {
  await apply('going');
  await register('going');
  await kubernetes.report('going', true, 'Available');
  const reader = await follow(ada, 'going');
  await expect.poll(() => seen(reader)).toEqual([true]);
  expect((await api.as(ada, 'GET', '/v1/tenants/going/resource')).body.progress.ready).toBe(true);
  const { uid } = (await kubernetes.tenant('going'))?.metadata ?? {};
  await kubernetes.cluster.delete({ resource: TENANTS, name: 'going' }, { uid: uid ?? '' });
  await expect.poll(() => seen(reader)).toEqual([true, 'gone']);
});

test('a changed wish is not ready before the operator has seen it', async () => {
  await apply('changed');
  await register('changed');
  await kubernetes.report('changed', true, 'Available');
  const reader = await follow(ada, 'changed');
  await expect.poll(() => seen(reader)).toEqual([true]);
  await kubernetes.applyAs('kubectl', 'changed', { displayName: 'New', plan: 'starter', owners: [ada.email] });
  await expect.poll(() => seen(reader)).toEqual([true, false]);
});

test('nobody follows a tenant they do not belong to', async () => {
  await apply('foreign');
  await register('foreign');
  const bob = await api.signedIn('bob@example.test');
  expect((await follow(bob, 'foreign')).status).toBe(404);
  expect((await api.call('GET', '/v1/tenants/foreign/progress', undefined)).status).toBe(401);
  expect((await api.admin('GET', '/v1/tenants/foreign/progress')).status).toBe(403);
});

test('the stream of a tenant is told of each change of its conditions once, by however many replicas', async () => {
  const other = await startApi({ databaseUrl, kubernetes: kubernetes.kubeconfigPath });
  await apply('told');
  await register('told');
  await kubernetes.report('told', false, 'Progressing');
  await expect.poll(() => told('told')).toEqual(['Progressing']);
  await kubernetes.report('told', true, 'Available');
  await expect.poll(() => told('told')).toEqual(['Progressing', 'Available']);
  // What changes no condition is no news.
  await kubernetes.applyAs('kubectl', 'told', { displayName: 'New', plan: 'starter', owners: [ada.email] });
  await kubernetes.report('told', false, 'Progressing');
  await expect.poll(() => told('told')).toEqual(['Progressing', 'Available', 'Progressing']);
  await other.stop();
});

test('an older state than the one that was told is no news', async () => {
  await register('late');
  const state = (reason: string) => ({
    tenant: 'late',
    ready: false,
    current: true,
    deleting: false,
    url: null,
    conditions: [{ type: 'Ready', status: 'False' as const, reason, message: '' }],
  });
  expect(await tellStatus(api.pool, 'late', '100', state('B'))).toBe(true);
  expect(await tellStatus(api.pool, 'late', '99', state('A'))).toBe(false);
  expect(await tellStatus(api.pool, 'late', '101', state('B'))).toBe(false);
  expect(await tellStatus(api.pool, 'late', '1000', state('C'))).toBe(true);
  expect(await tellStatus(api.pool, 'nobody', '1', state('A'))).toBe(false);
  expect(await told('late')).toEqual(['B', 'C']);
});
