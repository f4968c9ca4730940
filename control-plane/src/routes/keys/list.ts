import { PageQuery, pageOf } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { KeyView } from './key-view.ts';
import { pageOfKeys } from './page-of-keys.ts';

export const listKeys = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/keys',
  id: 'listKeys',
  summary: 'All keys of a tenant, oldest first, without their secrets',
  tag: 'Keys',
  access: 'keys.manage',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(KeyView) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async (tenant) => ({
      status: 200,
      body: await pageOfKeys(services.pool, tenant.id, query),
    })),
});
