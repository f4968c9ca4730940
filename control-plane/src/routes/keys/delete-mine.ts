import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { revokeKey } from '../../keys/revoke-key.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { KeyParams, keyUnknown } from './key-view.ts';
import { personOf } from './person-of.ts';
import { revoked } from './revoked.ts';

export const deleteMyKey = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/keys/mine/{key}',
  id: 'deleteMyKey',
  summary: 'Revoke a key of your own',
  tag: 'Keys',
  access: 'keys.own',
  params: KeyParams,
  responses: {
    204: { description: 'Revoked; it authorises nothing from now on' },
    403: { description: 'Not a person', schema: Problem },
    404: { description: 'No such tenant, or no key of yours', schema: Problem },
  },
  run: (services, { params, principal }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { id: personId } = personOf(principal);
      const row = await revokeKey(services.pool, { tenantId: tenant.id, keyId: params.key, personId });
      return row === undefined ? keyUnknown() : revoked(row);
    }),
});
