import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, TenantView, tenantView, withTenant } from './tenant-view.ts';

export const getTenant = route({
  method: 'get',
  path: '/v1/tenants/{tenant}',
  id: 'getTenant',
  summary: 'A tenant with its budget',
  tag: 'Tenants',
  access: 'operator',
  params: TenantParams,
  responses: {
    200: { description: 'The registration and the present budget', schema: TenantView },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => ({ status: 200, body: await tenantView(services, tenant) })),
});
