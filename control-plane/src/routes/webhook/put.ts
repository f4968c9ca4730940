import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AddressRefused, parseWebhookUrl } from '../../alerts/outbound-request.ts';
import { sealWebhookSecret } from '../../alerts/webhook-secret.ts';
import { webhookSecret } from '../../alerts/webhook-signature.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { WebhookView, webhookView } from './webhook-view.ts';

const SECRET_BYTES = 32;

export const putWebhook = route({
  method: 'put',
  path: '/v1/tenants/{tenant}/webhook',
  id: 'putWebhook',
  summary: 'Set where a tenant’s own system is told of alerts',
  tag: 'Alerts',
  access: 'webhook.manage',
  params: TenantParams,
  body: z.strictObject({
    url: z.string().max(2048).meta({ description: 'https only, and not into a private network' }),
    rotateSecret: z.boolean().default(false).meta({ description: 'Make a new secret; the old one signs no more' }),
  }),
  responses: {
    200: { description: 'Changed; with the secret only when it is new', schema: WebhookView },
    201: { description: 'Set. The secret is shown this once', schema: WebhookView },
    404: { description: 'No such tenant', schema: Problem },
    422: { description: 'The address is refused', schema: Problem },
  },
  run: (services, { params, body }) =>
    withTenant(services, params.tenant, async (tenant) => {
      try {
        parseWebhookUrl(body.url, services.webhookTrustedHosts);
      } catch (error) {
        if (!(error instanceof AddressRefused)) throw error;
        const errors = [{ path: 'url', message: error.message }];
        return { status: 422, body: problem(422, 'invalid_input', `url: ${error.message}`, { errors }) };
      }
      const secret = randomBytes(SECRET_BYTES);
      const { rows } = await services.pool.query<{ made: boolean; fresh: boolean }>(
        `insert into webhook as w (tenant_id, url, secret) values ($1, $2, $3)
         on conflict (tenant_id) do update set url = excluded.url, changed_at = now(),
           secret = case when $4 then excluded.secret else w.secret end
         returning *, secret = $3 as fresh, xmax = 0 as made`,
        [tenant.id, body.url, sealWebhookSecret(services.vault, tenant.name, secret), body.rotateSecret],
      );
      const shown = rows[0]?.fresh === true ? { secret: webhookSecret(secret) } : {};
      const view = webhookView(rows[0]);
      const audit = { target: 'webhook', after: { ...view, secretIsNew: rows[0]?.fresh === true } };
      return { status: rows[0]?.made === true ? 201 : 200, body: { ...view, ...shown }, audit };
    }),
});
