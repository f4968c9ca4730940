import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { UserView, userView } from './user-view.ts';

export const createUser = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/users',
  id: 'createUser',
  summary: 'Add a user to a tenant',
  tag: 'Users',
  access: 'admin',
  params: TenantParams,
  body: z.strictObject({
    externalId: z.string().min(1).max(320).optional(),
    email: z.email().max(320),
    name: z.string().min(1).max(200).optional(),
    role: z.string().min(1).max(40),
  }),
  responses: {
    201: { description: 'Added', schema: UserView },
    404: { description: 'No such tenant', schema: Problem },
    409: { description: 'The tenant has a user with this address or external id', schema: Problem },
  },
  run: (services, { params, body }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { rows } = await services.pool.query(
        `insert into member (tenant_id, external_id, email, name, role) values ($1, $2, $3, $4, $5)
         on conflict do nothing returning *`,
        [tenant.id, body.externalId ?? null, body.email, body.name ?? null, body.role],
      );
      if (rows[0] === undefined) {
        const detail = 'this tenant already has a user with this address or external id';
        return { status: 409, body: problem(409, 'user_exists', detail) };
      }
      return { status: 201, body: userView(rows[0]) };
    }),
});
