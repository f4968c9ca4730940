import type { KubeObject } from '@cloudfreedom/operator/runtime/cluster.ts';
import { z } from 'zod';
import { mayChange, type Rights } from '../../organisation/resource/access.ts';
import { heldFields } from '../../organisation/resource/held-fields.ts';
import { PORTAL_FIELDS } from '../../organisation/resource/portal-fields.ts';
import { Progress, progressOf } from '../../organisation/resource/progress.ts';
import { otherHolder } from '../../organisation/resource/wish.ts';

const FieldView = z
  .object({
    path: z.string().meta({ example: 'budget.monthlyEur' }),
    heldBy: z.enum(['portal', 'other', 'nobody']).meta({ description: 'nobody: the default, or absent' }),
    manager: z
      .string()
      .nullable()
      .meta({ description: 'Who holds it, where that is not the portal', example: 'argocd' }),
    since: z.string().nullable(),
    editable: z.boolean(),
    reason: z.enum(['field_managed', 'kept_by_platform', 'not_permitted']).nullable(),
    detail: z.string().nullable().meta({ description: 'Why it cannot be changed here, for people' }),
  })
  .meta({ id: 'TenantField' });

export const ResourceView = z
  .object({
    tenant: z.string(),
    createdAt: z.string().nullable(),
    spec: z
      .looseObject({
        displayName: z.string(),
        plan: z.string(),
        owners: z.array(z.string()),
        language: z.string(),
        timeZone: z.string().optional(),
        hostname: z.string().optional(),
        customDomains: z.array(z.string()).optional(),
        models: z.array(z.string()).optional(),
        dataResidency: z.string().optional(),
        budget: z
          .looseObject({
            monthlyEur: z.string().optional(),
            memberMonthlyEur: z.string().optional(),
            keyMonthlyEur: z.string().optional(),
            alertThresholdsPercent: z.array(z.number()).optional(),
          })
          .optional(),
        branding: z.looseObject({ title: z.string().optional(), bannerText: z.string().optional() }).optional(),
        suspended: z.boolean().optional(),
        deletionPolicy: z.string().optional(),
      })
      .meta({ description: 'As it is stored, with the defaults filled in' }),
    progress: Progress,
    fields: z.array(FieldView).meta({ description: 'Who holds each field, and whether the caller may change it here' }),
  })
  .meta({ id: 'TenantResource', description: 'The Tenant in the cluster, whoever wrote it' });

/** A Tenant for somebody with these rights. */
export function resourceView(tenant: KubeObject, rights: Rights): z.input<typeof ResourceView> {
  const { name, creationTimestamp } = tenant.metadata;
  return {
    tenant: name,
    createdAt: creationTimestamp ?? null,
    spec: tenant.spec as z.input<typeof ResourceView>['spec'],
    progress: progressOf(tenant),
    fields: fieldViews(tenant, rights),
  };
}

function fieldViews(tenant: KubeObject, rights: Rights): z.input<typeof FieldView>[] {
  const held = new Map(heldFields(tenant).map(({ path, holders }) => [path, holders]));
  const paths = [...new Set([...Object.keys(PORTAL_FIELDS), ...held.keys()])].sort();
  return paths.map((path) => {
    const holders = held.get(path) ?? [];
    const other = otherHolder(holders);
    const heldBy = other !== undefined ? 'other' : holders.length > 0 ? 'portal' : 'nobody';
    const shown = {
      path,
      heldBy,
      manager: other?.manager ?? null,
      since: (other ?? holders[0])?.since ?? null,
    } as const;
    if (other !== undefined) {
      const detail = `held by "${other.manager}"; change it there`;
      return { ...shown, editable: false, reason: 'field_managed', detail };
    }
    if (mayChange(path, rights)) return { ...shown, editable: true, reason: null, detail: null };
    const kept = PORTAL_FIELDS[path] === undefined || PORTAL_FIELDS[path] === 'platform';
    return kept
      ? { ...shown, editable: false, reason: 'kept_by_platform', detail: KEPT[path] ?? KEPT_BY_PLATFORM }
      : { ...shown, editable: false, reason: 'not_permitted', detail: 'your role does not allow this; ask an owner' };
  });
}

const KEPT_BY_PLATFORM = 'set by the platform’s administration';
const KEPT: Readonly<Record<string, string>> = { owners: 'changes when the tenant is handed over' };
