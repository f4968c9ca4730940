import { z } from 'zod';
import { DnsLabel } from '../../catalogue/registrations.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { withTenant } from '../tenants/tenant-view.ts';

export const deleteKey = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/keys/{key}',
  id: 'deleteKey',
  summary: 'Revoke an API key',
  tag: 'Keys',
  access: 'admin',
  params: z.strictObject({ tenant: DnsLabel, key: z.uuid() }),
  responses: {
    204: { description: 'Revoked; it authorises nothing from now on' },
    404: { description: 'No such tenant or key', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => {
      // The chat's own key is the operator's: it changes with the tenant's registration only.
      const { rowCount } = await services.pool.query(
        `update api_key set revoked_at = coalesce(revoked_at, now())
         where id = $1 and tenant_id = $2 and kind = 'api'`,
        [params.key, tenant.id],
      );
      if (rowCount === 1) return { status: 204 };
      return { status: 404, body: problem(404, 'key_unknown', 'this tenant has no API key with this id') };
    }),
});
