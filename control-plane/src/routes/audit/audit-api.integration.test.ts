import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../../database/test-database.ts';
import { type Api, OPERATOR_KEY, startApi } from '../../testing/api.ts';
import { tenantRegistration } from '../../testing/registrations.ts';

let databases: TestDatabases;
let api: Api;
beforeAll(async () => {
  databases = await startTestDatabases();
  api = await startApi({ databaseUrl: await databases.clone(), trustedProxies: ['127.0.0.0/8'] });
});
afterAll(async () => {
  await api.stop();
  await databases.stop();
});

let number = 0;
let tenant: string;
let base: string;
beforeEach(async () => {
  number += 1;
  tenant = `audited-${number}`;
  base = `/v1/tenants/${tenant}`;
});

const list = async (query = '') => (await api.admin('GET', `${base}/audit${query}`)).body.items;

describe('a change', () => {
  test('is in the tenant’s audit with who, what, before, after, from where and the request’s id', async () => {
    await api.tenant(tenant);
    const anna = await api.signedIn(`anna-${number}@example.test`, { name: 'Anna', platformAdmin: true });
    const { body: user } = await api.as(anna, 'POST', `${base}/users`, { email: 'bob@example.test', role: 'user' });
    const headers = { 'x-forwarded-for': '192.0.2.7', 'user-agent': 'a browser', 'x-request-id': 'request-of-anna' };
    const body = { monthlyBudgetNanoEur: '5000' };
    await api.as(anna, 'PATCH', `${base}/users/${user.id}`, body, headers);
    const [changed, added] = await list();
    expect(changed).toMatchObject({
      actor: { kind: 'person', id: anna.id, name: `Anna <${anna.email}>` },
      address: '192.0.2.7',
      userAgent: 'a browser',
      action: 'changeUser',
      target: { kind: 'user', id: user.id },
      before: { monthlyBudgetNanoEur: null },
      after: { monthlyBudgetNanoEur: '5000' },
      requestId: 'request-of-anna',
    });
    expect(added).toMatchObject({ action: 'createUser', before: null, after: { email: 'bob@example.test' } });
  });

  test('by the operator shows what differs; an equal registration shows nothing', async () => {
    const secrets = await api.tenant(tenant);
    const put = (more: object) =>
      api.call('PUT', base, OPERATOR_KEY, tenantRegistration(secrets, { displayName: 'Demo', ...more }));
    await put({});
    await put({ suspended: true });
    expect(await list()).toMatchObject([
      {
        actor: { kind: 'operator', id: null },
        action: 'putTenant',
        before: { suspended: false },
        after: { suspended: true },
      },
      { action: 'putTenant', before: null, after: { displayName: 'Demo', owners: ['owner@example.test'] } },
    ]);
    const [, created] = await list();
    expect(created.after).toMatchObject({ gatewayCredentialSha256: '[redacted]', chatKeySha256: '[redacted]' });
  });

  test('that was refused, and one that was sent again, are not in it', async () => {
    await api.tenant(tenant);
    const grant = { source: 'top_up', amountNanoEur: '1000' };
    const headers = { 'idempotency-key': `grant-${number}` };
    await api.admin('POST', `${base}/grants`, grant, headers);
    await api.admin('POST', `${base}/grants`, grant, headers);
    await api.admin('POST', `${base}/grants`, { ...grant, source: 'gift' }, headers);
    expect(await list()).toMatchObject([{ actor: { kind: 'admin' }, action: 'createGrant' }, { action: 'putTenant' }]);
  });

  test('of a plan is in the platform’s', async () => {
    const plan = {
      displayName: 'P',
      monthlyBudgetNanoEur: '1',
      maxMembers: 1,
      modelClasses: ['mini'],
      marginPercent: 20,
    };
    await api.call('PUT', `/v1/plans/${tenant}`, OPERATOR_KEY, plan);
    await api.call('PUT', `/v1/plans/${tenant}`, OPERATOR_KEY, { ...plan, maxMembers: 2 });
    await api.call('DELETE', `/v1/plans/${tenant}`, OPERATOR_KEY);
    const { body } = await api.admin('GET', `/v1/audit?targetId=${tenant}`);
    expect(body.items).toMatchObject([
      { action: 'deletePlan', before: { maxMembers: 2 }, after: null },
      { action: 'putPlan', before: { maxMembers: 1 }, after: { maxMembers: 2 } },
      { action: 'putPlan', before: null },
    ]);
    expect((await api.admin('GET', '/v1/audit/verification')).body).toMatchObject({ proven: true, faults: [] });
  });
});

describe('the list', () => {
  test('is read page by page, newest first, and by what one looks for', async () => {
    await api.tenant(tenant);
    for (const n of [1, 2, 3, 4])
      await api.admin('POST', `${base}/users`, { email: `u${n}@example.test`, role: 'user' });
    const first = await api.admin('GET', `${base}/audit?limit=3`);
    expect(first.body.items.map(({ sequence }: { sequence: number }) => sequence)).toEqual([5, 4, 3]);
    const second = await api.admin('GET', `${base}/audit?limit=3&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ items: [{ sequence: 2 }, { sequence: 1 }], nextCursor: null });
    expect(await list('?action=putTenant')).toMatchObject([{ sequence: 1 }]);
    expect(await list(`?from=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toEqual([]);
    expect((await api.admin('GET', `${base}/audit?cursor=no`)).status).toBe(422);
    expect((await api.admin('GET', `${base}/audit?from=yesterday`)).status).toBe(422);
  });

  test('is for those who may read it, and nobody reads another tenant’s', async () => {
    await api.tenant(tenant);
    const roles = ['owner', 'admin', 'member', 'billing'] as const;
    const statuses = new Map<string, number>();
    for (const role of roles) {
      const person = await api.signedIn(`${role}-${number}@example.test`);
      await api.belongs(person, tenant, role);
      statuses.set(role, (await api.as(person, 'GET', `${base}/audit`)).status);
      expect((await api.as(person, 'GET', '/v1/audit')).status).toBe(403);
      expect((await api.as(person, 'GET', '/v1/tenants/audited-1/audit')).status).toBe(404);
    }
    expect(Object.fromEntries(statuses)).toEqual({ owner: 200, admin: 200, member: 403, billing: 403 });
  });
});

describe('the export', () => {
  test('as NDJSON proves itself to whoever has it', async () => {
    await api.tenant(tenant);
    await api.admin('POST', `${base}/users`, { email: 'u@example.test', name: 'Ümläut', role: 'user' });
    const { body, headers } = await api.admin('GET', `${base}/audit/export`);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="audit-${tenant}.ndjson"`);
    const entries = body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(entries).toHaveLength(2);
    let previous: string | undefined;
    for (const { hash, proof } of entries) {
      const text = proof.fields
        .map((f: string | null) => (f === null ? '-,' : `${Buffer.byteLength(f)}:${f},`))
        .join('');
      expect(createHash('sha256').update(text).digest('hex')).toBe(hash);
      if (previous !== undefined) expect(proof.fields[0]).toBe(previous);
      previous = hash;
    }
    expect((await api.admin('GET', `${base}/audit/verification`)).body.lastHash).toBe(previous);
  });

  test('as CSV opens in a spreadsheet', async () => {
    await api.tenant(tenant);
    const { body } = await api.admin('GET', `${base}/audit/export?format=csv`);
    expect(body.split('\r\n')[0]).toBe(
      'sequence,at,actor_kind,actor_id,actor_name,address,user_agent,action,target_kind,target_id,before,after,request_id,hash',
    );
    expect(body).toContain(`,putTenant,tenant,${tenant},,"{""`);
  });
});

test('verification names what was tampered with, and the log has it as an error', async () => {
  await api.tenant(tenant);
  expect((await api.admin('GET', `${base}/audit/verification`)).body).toMatchObject({ proven: true, entries: 1 });
  await api.pool.query('grant update on audit_entry to current_user');
  await api.pool.query('alter table audit_entry disable trigger user');
  await api.pool.query(
    `update audit_entry set action = 'nothing' where chain_id = (select id from tenant where name = $1)`,
    [tenant],
  );
  await api.pool.query('alter table audit_entry enable trigger user');
  expect((await api.admin('GET', `${base}/audit/verification`)).body).toMatchObject({
    proven: false,
    faults: [{ sequence: 1, fault: 'changed', message: expect.stringContaining('entry 1 was changed') }],
  });
  expect(api.log.some((line) => line.includes('the audit was tampered with'))).toBe(true);
});

test('what was personal in the audit of an erased tenant is gone, and it still holds', async () => {
  await api.tenant(tenant);
  const { rows } = await api.pool.query('select id from tenant where name = $1', [tenant]);
  await api.call('DELETE', `${base}?data=erase`, OPERATOR_KEY);
  const { rows: personal } = await api.pool.query(
    'select distinct sequence, value is null as gone from audit_personal where chain_id = $1 order by 1',
    [rows[0].id],
  );
  expect(personal).toMatchObject([{ sequence: 1n, gone: true }, { sequence: 2n }]);
  const { rows: last } = await api.pool.query(
    'select action, after from audit_entry where chain_id = $1 order by sequence desc limit 1',
    [rows[0].id],
  );
  expect(last).toEqual([{ action: 'deleteTenant', after: { state: 'erased' } }]);
});
