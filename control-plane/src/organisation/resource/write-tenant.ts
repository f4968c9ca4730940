import { readTenant, type TenantSpec, tenantChangeProblems } from '@cloudfreedom/crds/tenant.ts';
import type { KubeObject } from '@cloudfreedom/operator/runtime/cluster.ts';
import { KubeError } from '@cloudfreedom/operator/runtime/kube-error.ts';
import { TENANTS, type TenantResources } from '../../kubernetes/tenant-resources.ts';
import { PORTAL_MANAGER } from './portal-fields.ts';
import { type Change, type Conflict, changedWish, conflictsOf } from './wish.ts';

/** Times a change is worked out anew because somebody else wrote meanwhile; the operator's status counts, too. */
const MAX_ATTEMPTS = 8;

export type Fault = { readonly path: string; readonly message: string };

export type WriteOutcome =
  | { readonly outcome: 'written'; readonly tenant: KubeObject; readonly before: KubeObject | undefined }
  | { readonly outcome: 'field_managed'; readonly conflicts: readonly Conflict[] }
  | { readonly outcome: 'invalid'; readonly faults: readonly Fault[] }
  /** No such Tenant, or one that is being deleted. */
  | { readonly outcome: 'no_resource' }
  /** Everybody writes at once: try again later. */
  | { readonly outcome: 'busy' };

/**
 * Changes fields of a Tenant under the portal's field manager, without force. Each try starts from what is stored and
 * applies onto exactly that version, so two who change different fields at once both get what they wished.
 */
export async function writeTenant(resources: TenantResources, name: string, change: Change): Promise<WriteOutcome> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const live = await resources.get(name);
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) return { outcome: 'no_resource' };
    const conflicts = conflictsOf(live, change);
    if (conflicts.length > 0) return { outcome: 'field_managed', conflicts };
    const { stated, spec, claim } = changedWish(live, change);
    const faults = faultsOf(live, spec);
    if (faults.length > 0) return { outcome: 'invalid', faults };
    try {
      const base = claim === undefined ? live : await resources.apply(wished(live, claim), PORTAL_MANAGER);
      const tenant = await resources.apply(wished(base, stated), PORTAL_MANAGER);
      return { outcome: 'written', tenant, before: live };
    } catch (error) {
      const refused = refusalOf(error);
      if (refused !== 'changed_meanwhile') return refused;
    }
  }
  return { outcome: 'busy' };
}

/** Applies a Tenant that is not there yet. */
export async function applyNewTenant(
  resources: TenantResources,
  name: string,
  spec: Record<string, unknown>,
): Promise<WriteOutcome> {
  const { apiVersion, kind } = TENANTS;
  try {
    const tenant = await resources.apply({ apiVersion, kind, metadata: { name }, spec }, PORTAL_MANAGER);
    return { outcome: 'written', tenant, before: undefined };
  } catch (error) {
    const refused = refusalOf(error);
    return refused === 'changed_meanwhile' ? { outcome: 'busy' } : refused;
  }
}

/** What is wrong with the spec as a whole, and with the way from the present one to it. */
function faultsOf(live: KubeObject, spec: Record<string, unknown>): Fault[] {
  const after = readTenant({ ...live, spec });
  if (!after.ok) return after.problems.map(({ path, message }) => ({ path: path.replace(/^spec\./, ''), message }));
  const before = specOf(live);
  const problems = before === undefined ? [] : tenantChangeProblems(after.value.spec, before);
  return problems.map(({ path, message }) => ({ path: path.replace(/^spec\.?/, ''), message }));
}

/** The spec as it is stored, with its defaults; undefined where this version cannot read it. */
export function specOf(tenant: KubeObject): TenantSpec | undefined {
  const parsed = readTenant(tenant);
  return parsed.ok ? parsed.value.spec : undefined;
}

function wished({ apiVersion, kind, metadata }: KubeObject, spec: Record<string, unknown>): KubeObject {
  const { name, uid, resourceVersion } = metadata;
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  return { apiVersion, kind, metadata: { name, ...(uid === undefined ? {} : { uid }), ...version }, spec };
}

/** What a refusal of the API server says of our wish. @throws whatever says nothing of it */
function refusalOf(error: unknown): WriteOutcome | 'changed_meanwhile' {
  if (!(error instanceof KubeError)) throw error;
  if (error.status === 409) {
    const conflicts = error.faults.flatMap(({ field, message }): Conflict[] => {
      const manager = /conflict with "([^"]+)"/.exec(message)?.[1];
      return manager === undefined ? [] : [{ field: field.replace(/^\.?spec\./, ''), manager, since: undefined }];
    });
    return conflicts.length > 0 ? { outcome: 'field_managed', conflicts } : 'changed_meanwhile';
  }
  if (error.status === 422 || error.status === 400) {
    const faults = error.faults.map(({ field, message }) => ({ path: field.replace(/^spec\./, ''), message }));
    return { outcome: 'invalid', faults: faults.length > 0 ? faults : [{ path: '', message: error.message }] };
  }
  throw error;
}
