import { KubeError } from '@cloudfreedom/operator/runtime/kube-error.ts';
import { problem } from '../../http/problem.ts';
import type { Answer } from '../../http/route.ts';
import type { TenantResources } from '../../kubernetes/tenant-resources.ts';
import type { Conflict } from '../../organisation/resource/wish.ts';
import type { Fault, WriteOutcome } from '../../organisation/resource/write-tenant.ts';
import type { Services } from '../../services.ts';

/** Seconds after which a caller may ask again while the API server does not answer. */
const RETRY_SECONDS = 5;

/** Runs `work` with the cluster's Tenants; without a cluster, or while it does not answer, says so. */
export async function withCluster(
  { tenantResources, log }: Services,
  work: (resources: TenantResources) => Promise<Answer>,
): Promise<Answer> {
  if (tenantResources === undefined) {
    return {
      status: 503,
      body: problem(503, 'cluster_away', 'this control plane runs without a cluster: use kubectl'),
    };
  }
  try {
    return await work(tenantResources);
  } catch (err) {
    if (!(err instanceof KubeError)) throw err;
    log.warn({ err }, 'the API server did not do what a caller asked for');
    const detail = 'the cluster does not answer at the moment; nothing was changed, try again';
    const body = problem(503, 'cluster_away', detail, { retryAfterSeconds: RETRY_SECONDS });
    return { status: 503, body, headers: { 'retry-after': String(RETRY_SECONDS) } };
  }
}

/** The 409 for fields that somebody else holds. */
export function fieldManaged(conflicts: readonly Conflict[]): Answer {
  const errors = conflicts.map(({ field, manager }) => ({ path: field, message: `is held by "${manager}"` }));
  const [first] = conflicts;
  const detail = `${first?.field} is held by "${first?.manager}": change it there`;
  return { status: 409, body: problem(409, 'field_managed', detail, { errors }) };
}

/** The 422 for a Tenant that breaks a rule of its kind. */
export function invalidTenant(faults: readonly Fault[]): Answer {
  const [first] = faults;
  const detail = first === undefined ? 'the tenant is not valid' : `${first.path || 'body'}: ${first.message}`;
  return { status: 422, body: problem(422, 'invalid_input', detail, { errors: [...faults] }) };
}

/** What a write could not do, and why. */
export function writeRefusal(refused: Exclude<WriteOutcome, { outcome: 'written' }>): Answer {
  switch (refused.outcome) {
    case 'field_managed':
      return fieldManaged(refused.conflicts);
    case 'invalid':
      return invalidTenant(refused.faults);
    case 'no_resource':
      return noSuchResource();
    case 'busy': {
      const detail = 'this tenant is being changed by somebody else at this moment; try again';
      const body = problem(409, 'tenant_busy', detail, { retryAfterSeconds: RETRY_SECONDS });
      return { status: 409, body, headers: { 'retry-after': String(RETRY_SECONDS) } };
    }
  }
}

/** The 404 for a tenant without a Tenant in the cluster. */
export function noSuchResource(): Answer {
  const detail = 'the cluster has no Tenant of this name, or it is being deleted';
  return { status: 404, body: problem(404, 'tenant_resource_unknown', detail) };
}

type Choice =
  | 'name_reserved'
  | 'name_taken'
  | 'hostname_taken'
  | 'too_many_tenants'
  | 'plan_unknown'
  | 'plan_by_agreement'
  | 'plan_too_small';

const CHOICES: Record<Choice, readonly [status: number, detail: string]> = {
  name_reserved: [422, 'the platform keeps this host name for itself: choose another name or hostname'],
  name_taken: [409, 'this name is taken: choose another one'],
  hostname_taken: [409, 'this host name is taken: choose another one'],
  too_many_tenants: [409, 'you own as many tenants as one person may: hand one over or delete it first'],
  plan_unknown: [422, 'there is no such plan: GET /v1/plans lists them'],
  plan_by_agreement: [403, 'this plan is by agreement: ask the platform’s administration'],
  plan_too_small: [409, 'this plan has fewer seats than are taken: remove members first'],
};

/** A choice that is not to be had. */
export function choiceRefusal(choice: Choice): Answer {
  const [status, detail] = CHOICES[choice];
  return { status, body: problem(status, choice, detail) };
}
