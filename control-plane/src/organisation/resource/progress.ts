import { TenantStatus } from '@cloudfreedom/crds/tenant.ts';
import type { KubeObject } from '@cloudfreedom/operator/runtime/cluster.ts';
import { z } from 'zod';

/** One condition as people and programs read it. */
export const ConditionView = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
});
export type ConditionView = z.output<typeof ConditionView>;

/** How far a Tenant is. */
export const Progress = z
  .object({
    tenant: z.string(),
    ready: z.boolean(),
    /** The operator has seen the newest wish. */
    current: z.boolean(),
    deleting: z.boolean(),
    url: z.string().nullable(),
    conditions: z.array(ConditionView),
  })
  .meta({ id: 'TenantProgress', description: 'How far a tenant is; `ready` only speaks of the newest wish' });
export type Progress = z.output<typeof Progress>;

/** Reads a Tenant's progress from its status, sorted by type, without times: equal progress is equal data. */
export function progressOf(tenant: KubeObject): Progress {
  const parsed = TenantStatus.safeParse(tenant.status ?? {});
  const status = parsed.success ? parsed.data : {};
  const conditions = (status.conditions ?? [])
    .map(({ type, status, reason, message }) => ({ type, status, reason, message }))
    .sort((a, b) => (a.type < b.type ? -1 : 1));
  const current = status.observedGeneration === tenant.metadata.generation;
  const ready = current && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  const deleting = tenant.metadata.deletionTimestamp !== undefined;
  return { tenant: tenant.metadata.name, ready, current, deleting, url: status.url ?? null, conditions };
}
