import { Problem, problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import type { TenantResources } from '../../kubernetes/tenant-resources.ts';
import { mayChange, type Rights, rightsOf } from '../../organisation/resource/access.ts';
import { isHostTaken } from '../../organisation/resource/create-tenant.ts';
import { hasTooFewSeats, planRefusal } from '../../organisation/resource/plan-choice.ts';
import { TenantChange } from '../../organisation/resource/tenant-body.ts';
import { type Change, changeOf, valuesOf } from '../../organisation/resource/wish.ts';
import { writeTenant } from '../../organisation/resource/write-tenant.ts';
import type { Services } from '../../services.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { choiceRefusal, withCluster, writeRefusal } from './cluster-answers.ts';
import { ResourceView, resourceView } from './resource-view.ts';

export const changeTenant = route({
  method: 'patch',
  path: '/v1/tenants/{tenant}',
  id: 'changeTenant',
  summary: 'Change fields of a tenant that nobody else holds; null takes a value back',
  tag: 'Tenants',
  access: 'tenant.write',
  params: TenantParams,
  body: TenantChange,
  responses: {
    200: { description: 'Written into the cluster; the operator follows', schema: ResourceView },
    403: { description: 'A field that the caller may not change, or a plan by agreement', schema: Problem },
    404: { description: 'No such tenant, or not in the cluster', schema: Problem },
    409: { description: 'Held by somebody else (field_managed), taken, or too small', schema: Problem },
    422: { description: 'Not valid, or no such plan', schema: Problem },
    503: { description: 'The cluster does not answer', schema: Problem },
  },
  run: (services, { params, body, principal, role }) =>
    withTenant(services, params.tenant, (tenant) =>
      withCluster(services, async (resources) => {
        const change = changeOf(body);
        const rights = rightsOf(principal, role);
        const refusal =
          notPermitted(change, rights) ??
          takenHost(resources, tenant.name, change) ??
          (await planNotToBeHad(services, tenant.id, change, rights));
        if (refusal !== undefined) return refusal;
        const written = await writeTenant(resources, tenant.name, change);
        if (written.outcome !== 'written') return writeRefusal(written);
        const audit = {
          target: `tenant/${tenant.name}`,
          before: valuesOf(written.before?.spec, change),
          after: valuesOf(written.tenant.spec, change),
        };
        return { status: 200, body: resourceView(written.tenant, rights), audit };
      }),
    ),
});

function notPermitted(change: Change, rights: Rights): Answer | undefined {
  const forbidden = [...change.keys()].filter((field) => !mayChange(field, rights));
  if (forbidden.length === 0) return undefined;
  const errors = forbidden.map((path) => ({ path, message: 'may not be changed by you' }));
  const detail = `you may not change ${forbidden.join(', ')}`;
  return { status: 403, body: problem(403, 'not_permitted', detail, { errors }) };
}

function takenHost(resources: TenantResources, name: string, change: Change): Answer | undefined {
  const hostname = change.get('hostname');
  if (hostname === undefined) return undefined;
  return isHostTaken(resources, name, String(hostname ?? name)) ? choiceRefusal('hostname_taken') : undefined;
}

async function planNotToBeHad(
  { pool }: Services,
  tenant: bigint,
  change: Change,
  { platform }: Rights,
): Promise<Answer | undefined> {
  const plan = change.get('plan');
  if (typeof plan !== 'string') return undefined;
  const refusal = await planRefusal(pool, plan, { platform });
  if (refusal !== undefined) return choiceRefusal(refusal);
  return (await hasTooFewSeats(pool, tenant, plan)) ? choiceRefusal('plan_too_small') : undefined;
}
