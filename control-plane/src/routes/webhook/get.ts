import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { WebhookView, webhookView } from './webhook-view.ts';

export const getWebhook = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/webhook',
  id: 'getWebhook',
  summary: 'Where a tenant’s own system is told of alerts',
  tag: 'Alerts',
  access: 'webhook.manage',
  params: TenantParams,
  responses: {
    200: { description: 'Its address; the secret is not shown again', schema: WebhookView },
    404: { description: 'No such tenant, or it has no webhook', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { rows } = await services.pool.query(
        'select url, created_at, changed_at from webhook where tenant_id = $1',
        [tenant.id],
      );
      if (rows[0] !== undefined) return { status: 200, body: webhookView(rows[0]) };
      return { status: 404, body: problem(404, 'webhook_unknown', `tenant "${tenant.name}" has no webhook; PUT one`) };
    }),
});
