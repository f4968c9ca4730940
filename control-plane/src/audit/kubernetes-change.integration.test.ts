import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { auditEntryView } from '../routes/audit/audit-view.ts';
import { auditKubernetesChange, auditKubernetesDeletion } from './kubernetes-change.ts';
import { startKubernetesAudit } from './kubernetes-watch.ts';
import { entriesInOrder } from './read.ts';

let databases: TestDatabases;
let pool: pg.Pool;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());
beforeEach(async () => {
  pool = openPool({ url: await databases.clone(), onError: () => {} });
});
afterEach(() => pool.end());

/** A Tenant whose budget was last written by `manager`. */
function tenant(generation: number, manager: string, spec: object) {
  const written = (name: string, time: string, fields: object) => ({
    manager: name,
    operation: 'Apply',
    time,
    fieldsV1: { 'f:spec': fields },
  });
  return {
    apiVersion: 'cloudfreedom.de/v1alpha1',
    kind: 'Tenant',
    metadata: {
      name: 'acme',
      uid: 'uid-1',
      generation,
      managedFields: [
        written('argocd-controller', '2026-11-30T08:00:00Z', { 'f:plan': {} }),
        written(manager, `2026-11-30T09:00:0${generation}Z`, { 'f:budget': {} }),
      ],
    },
    spec,
  };
}

async function entries() {
  const found = [];
  for await (const entry of entriesInOrder(pool, 0n)) found.push(auditEntryView(entry));
  return found;
}

test('a change by kubectl is audited with its manager, before and after; the portal’s own and a repeated one are not', async () => {
  const first = { plan: 'starter', owners: ['ada@example.test'], budget: '10' };
  expect(await auditKubernetesChange(pool, tenant(1, 'kubectl', first))).toBe(true);
  expect(await auditKubernetesChange(pool, tenant(1, 'kubectl', first))).toBe(false);
  expect(await auditKubernetesChange(pool, tenant(2, 'cloudfreedom-portal', { ...first, budget: '20' }))).toBe(false);
  expect(await auditKubernetesChange(pool, tenant(3, 'kubectl-edit', { ...first, budget: '30' }))).toBe(true);
  expect(await auditKubernetesChange(pool, tenant(2, 'late', first))).toBe(false);
  expect(await auditKubernetesDeletion(pool, tenant(3, 'kubectl', first))).toBe(true);
  expect(await auditKubernetesDeletion(pool, tenant(3, 'kubectl', first))).toBe(false);
  expect(await entries()).toMatchObject([
    {
      action: 'Tenant.created',
      actor: { kind: 'kubernetes', id: 'kubectl' },
      target: { kind: 'Tenant', id: 'acme' },
      before: null,
      after: first,
    },
    { action: 'Tenant.changed', actor: { id: 'kubectl-edit' }, before: { budget: '20' }, after: { budget: '30' } },
    { action: 'Tenant.deleted', actor: { id: null }, before: { budget: '30' }, after: null },
  ]);
});

test('replicas that hear of a change together write one entry', async () => {
  const change = tenant(1, 'kubectl', { plan: 'starter' });
  const written = await Promise.all(Array.from({ length: 8 }, () => auditKubernetesChange(pool, change)));
  expect(written.filter((wrote) => wrote)).toHaveLength(1);
  expect(await entries()).toHaveLength(1);
});

test('the watch audits each new generation once, and no status', async () => {
  let stored = tenant(1, 'kubectl', { plan: 'starter' });
  let tell: (change: { type: 'added' | 'deleted'; object: typeof stored }) => void = () => {};
  const resources = {
    get: async () => stored,
    subscribe: (hear: typeof tell) => {
      tell = hear;
      return () => {};
    },
  };
  const stop = startKubernetesAudit(pool, resources as never, pino({ level: 'silent' }));
  const put = () => tell({ type: 'added', object: { ...stored, metadata: { ...stored.metadata, managedFields: [] } } });
  put();
  put();
  await expect.poll(entries).toMatchObject([{ action: 'Tenant.created' }]);
  stored = tenant(2, 'kubectl', { plan: 'professional' });
  put();
  await expect.poll(entries).toMatchObject([{}, { action: 'Tenant.changed', after: { plan: 'professional' } }]);
  tell({ type: 'deleted', object: stored });
  await expect.poll(entries).toMatchObject([{}, {}, { action: 'Tenant.deleted' }]);
  await stop();
});
