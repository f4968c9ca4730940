import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { scopesOfCaller } from '../../keys/scopes.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { IssuedKey, KeyWishBody } from './key-view.ts';
import { personOf } from './person-of.ts';
import { makeKey } from './wished-key.ts';

const Seat = z.object({ member_id: z.string().nullable() });

export const createMyKey = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/keys/mine',
  id: 'createMyKey',
  summary: 'Issue a personal key; its secret is shown this once',
  tag: 'Keys',
  access: 'keys.own',
  params: TenantParams,
  body: KeyWishBody,
  responses: {
    201: { description: 'Issued. It ends with your membership', schema: IssuedKey },
    403: { description: 'More than you may do yourself, or not a member', schema: Problem },
    404: { description: 'No such tenant', schema: Problem },
    409: { description: 'You have as many keys as you may, or no seat to chat with', schema: Problem },
    422: { description: 'An expiry out of range', schema: Problem },
  },
  run: (services, { params, body, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { id: personId } = personOf(principal);
      const { rows } = await services.pool.query(
        'select member_id from membership where tenant_id = $1 and person_id = $2',
        [tenant.id, personId],
      );
      if (rows[0] === undefined) {
        const detail = 'only members of a tenant have keys of their own; issue a service key instead';
        return { status: 403, body: problem(403, 'not_a_member', detail) };
      }
      const memberId = Seat.parse(rows[0]).member_id;
      if (memberId === null && body.scopes.includes('chat')) {
        return { status: 409, body: problem(409, 'no_seat', 'you have no seat here; ask an owner for one') };
      }
      const owner = { tenantId: tenant.id, personId, ...(memberId !== null && { memberId }) };
      return makeKey(services.pool, services.now(), body, { ...owner, ceiling: scopesOfCaller(principal, role) });
    }),
});
