import { PageQuery, pageOf } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { KeyView } from './key-view.ts';
import { pageOfKeys } from './page-of-keys.ts';
import { personOf } from './person-of.ts';

export const listMyKeys = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/keys/mine',
  id: 'listMyKeys',
  summary: 'Your own keys, oldest first, without their secrets',
  tag: 'Keys',
  access: 'keys.own',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(KeyView) },
    403: { description: 'Not a person', schema: Problem },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query, principal }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const person = personOf(principal);
      return { status: 200, body: await pageOfKeys(services.pool, tenant.id, query, person.id) };
    }),
});
