import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../../database/pool.ts';
import { type Api, startApi } from '../../testing/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.tenant('demo');
  await api.tenant('other');
  const pool = openPool({ url: api.controlPlane.databaseUrl, onError: () => {} });
  await pool.query(`select alert_fire(a.id, 'tenant', null, period, 10, 10) from
    (values ('2026-10'), ('2026-11')) periods (period), account a join tenant t on t.id = a.tenant_id
    where t.name = 'demo' order by period`);
  await pool.end();
});
afterAll(() => api.stop());

const get = (query: string, tenant = 'demo') => api.admin('GET', `/v1/tenants/${tenant}/alerts${query}`);

test('is paged in the order of the events, each alert with its deliveries', async () => {
  const first = (await get('?limit=4')).body;
  const second = (await get(`?limit=4&cursor=${first.nextCursor}`)).body;
  const alerts = [...first.items, ...second.items];
  expect(alerts.map((alert) => [alert.eventId, alert.period, alert.thresholdPercent])).toEqual([
    ['1', '2026-10', 50],
    ['2', '2026-10', 80],
    ['3', '2026-10', 100],
    ['4', '2026-11', 50],
    ['5', '2026-11', 80],
    ['6', '2026-11', 100],
  ]);
  expect(alerts.every(({ deliveries }) => deliveries[0].recipient === 'owner@example.test')).toBe(true);
});

test('shows a member the tenant’s own alerts, without users, keys and who was told', async () => {
  const member = await api.signedIn('member@example.test');
  await api.belongs(member, 'demo', 'member');
  await api.pool.query(`select alert_fire(a.id, 'user', m.id, '2026-12', 10, 10) from account a
    join tenant t on t.id = a.tenant_id join member m on m.tenant_id = t.id where t.name = 'demo'`);
  const { body } = await api.as(member, 'GET', '/v1/tenants/demo/alerts');
  expect(body.items).toHaveLength(6);
  expect(JSON.stringify(body)).not.toMatch(/owner@|"user"/);
  expect((await get('')).body.items.length).toBeGreaterThan(6);
});

test('of another tenant shows nothing of this one', async () => {
  expect((await get('', 'other')).body).toEqual({ items: [], nextCursor: null });
});

test.each(['?limit=0', '?cursor=nonsense', '?x=1'])('refuses %s', async (query) => {
  expect((await get(query)).status).toBe(422);
});

test('of a tenant that does not exist is a 404', async () => {
  expect(await get('', 'nobody')).toMatchObject({ status: 404, body: { code: 'tenant_unknown' } });
});
