import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { rightsOf } from '../../organisation/resource/access.ts';
import { createTenant as create } from '../../organisation/resource/create-tenant.ts';
import { TenantWish } from '../../organisation/resource/tenant-body.ts';
import { choiceRefusal, invalidTenant, withCluster, writeRefusal } from './cluster-answers.ts';
import { ResourceView, resourceView } from './resource-view.ts';

export const createTenant = route({
  method: 'post',
  path: '/v1/tenants',
  id: 'createTenant',
  summary: 'Make a tenant; the caller is its owner. It is ready within minutes: GET …/progress tells',
  tag: 'Tenants',
  access: 'person',
  body: TenantWish,
  responses: {
    201: { description: 'Written into the cluster; the operator begins', schema: ResourceView },
    403: { description: 'The plan is by agreement', schema: Problem },
    409: { description: 'Name or host name taken, or as many tenants owned as one person may', schema: Problem },
    422: { description: 'Not valid, reserved, or no such plan', schema: Problem },
    503: { description: 'The cluster does not answer', schema: Problem },
  },
  run: (services, { body, principal }) =>
    withCluster(services, async (resources) => {
      if (principal.kind !== 'person') throw new Error('a route for people was reached by none');
      const made = await create(services.pool, resources, principal.person, body);
      switch (made.outcome) {
        case 'created': {
          const headers = { location: `/v1/tenants/${body.name}/resource` };
          const audit = { target: `tenant/${body.name}`, after: { ...body, owners: [principal.person.id] } };
          const view = resourceView(made.tenant, rightsOf(principal, 'owner'));
          return { status: 201, body: view, headers, audit };
        }
        case 'invalid':
          return invalidTenant(made.faults);
        case 'busy':
          return writeRefusal({ outcome: 'busy' });
        default:
          return choiceRefusal(made.outcome);
      }
    }),
});
