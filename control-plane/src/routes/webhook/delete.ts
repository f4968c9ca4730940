import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';

export const deleteWebhook = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/webhook',
  id: 'deleteWebhook',
  summary: 'Tell a tenant’s own system of alerts no more',
  tag: 'Alerts',
  access: 'webhook.manage',
  params: TenantParams,
  responses: {
    204: { description: 'It is gone; deliveries that are due fail' },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => {
      await services.pool.query('delete from webhook where tenant_id = $1', [tenant.id]);
      return { status: 204, audit: { target: 'webhook' } };
    }),
});
