import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { scopesOfCaller } from '../../keys/scopes.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { IssuedKey, KeyWishBody, wrongField } from './key-view.ts';
import { makeKey } from './wished-key.ts';

export const createKey = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/keys',
  id: 'createKey',
  summary: 'Issue a service key, for a machine; its secret is shown this once',
  tag: 'Keys',
  access: 'keys.manage',
  params: TenantParams,
  body: KeyWishBody.extend({
    userId: z
      .uuid()
      .optional()
      .meta({ description: 'The user whose monthly budget it uses; for the platform’s admin only' }),
  }),
  responses: {
    201: { description: 'Issued', schema: IssuedKey },
    403: { description: 'More than you may do yourself', schema: Problem },
    404: { description: 'No such tenant', schema: Problem },
    409: { description: 'The tenant has as many keys as it may', schema: Problem },
    422: { description: 'No such user in this tenant, or an expiry out of range', schema: Problem },
  },
  run: (services, { params, body, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { userId, ...wish } = body;
      if (userId !== undefined) {
        if (principal.kind !== 'admin') {
          const detail = 'only the admin key may issue a key on the budget of one user';
          return { status: 403, body: problem(403, 'not_permitted', detail) };
        }
        const { rowCount } = await services.pool.query(
          'select from member where id = $1 and tenant_id = $2 and removed_at is null',
          [userId, tenant.id],
        );
        if (rowCount === 0) return wrongField('userId', 'is no user of this tenant');
      }
      const owner = { tenantId: tenant.id, ...(userId && { memberId: userId }) };
      return makeKey(services.pool, services.now(), wish, { ...owner, ceiling: scopesOfCaller(principal, role) });
    }),
});
