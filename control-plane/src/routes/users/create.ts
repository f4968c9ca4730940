import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
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
  access: 'members.write',
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
    409: {
      description: 'The tenant has a user with this address or external id, or every seat is taken',
      schema: Problem,
    },
  },
  run: (services, { params, body }) =>
    withTenant(services, params.tenant, (tenant) =>
      inTransaction(services.pool, async (client) => {
        // The lock under which the chat's newcomers get their seats, too.
        await client.query('select from balance where account_id = $1 for update', [tenant.account]);
        const { rows: seats } = await client.query<{ free: boolean }>('select seat_is_free($1) as free', [tenant.id]);
        if (seats[0]?.free !== true) {
          const detail = `this tenant's ${tenant.registration.maxMembers} seats are taken; a larger plan has more`;
          return { status: 409, body: problem(409, 'seats_taken', detail) };
        }
        const { rows } = await client.query(
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
    ),
});
