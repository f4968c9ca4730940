import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { revokeKey } from '../../keys/revoke-key.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { KeyParams, keyUnknown } from './key-view.ts';
import { revoked } from './revoked.ts';

export const deleteKey = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/keys/{key}',
  id: 'deleteKey',
  summary: 'Revoke an API key, a personal one too',
  tag: 'Keys',
  access: 'keys.manage',
  params: KeyParams,
  responses: {
    204: { description: 'Revoked; it authorises nothing from now on' },
    404: { description: 'No such tenant or key', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const row = await revokeKey(services.pool, { tenantId: tenant.id, keyId: params.key });
      return row === undefined ? keyUnknown() : revoked(row);
    }),
});
