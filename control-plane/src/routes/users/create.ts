import type pg from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { isSeatFree, lockSeats } from '../../organisation/seats.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { UserView, userView } from './user-view.ts';

const NewUser = z.strictObject({
  externalId: z.string().min(1).max(320).optional(),
  email: z.email().max(320),
  name: z.string().min(1).max(200).optional(),
  role: z.string().min(1).max(40),
});

export const createUser = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/users',
  id: 'createUser',
  summary: 'Add a user to a tenant',
  tag: 'Users',
  access: 'members.write',
  params: TenantParams,
  body: NewUser,
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
        await lockSeats(client, tenant);
        if (!(await isSeatFree(client, tenant.id))) {
          const detail = `this tenant's ${tenant.registration.maxMembers} seats are taken; a larger plan has more`;
          return { status: 409, body: problem(409, 'seats_taken', detail) };
        }
        const { rows } = await client.query(
          `insert into member (tenant_id, external_id, email, name, role) values ($1, $2, $3, $4, $5)
           on conflict do nothing returning *`,
          [tenant.id, body.externalId ?? null, body.email, body.name ?? null, body.role],
        );
        const added = rows[0] ?? (await takeBack(client, tenant.id, body));
        if (added === undefined) {
          const detail = 'this tenant already has a user with this address or external id';
          return { status: 409, body: problem(409, 'user_exists', detail) };
        }
        const user = userView(added);
        return { status: 201, body: user, audit: { target: `user/${user.id}`, after: user } };
      }),
    ),
});

/** Someone who was removed comes back to the row that their history hangs on. */
async function takeBack(
  client: pg.ClientBase,
  tenant: bigint,
  { externalId, email, name, role }: z.output<typeof NewUser>,
): Promise<unknown> {
  const { rows } = await client.query(
    `update member set removed_at = null, removed_person_id = null, former_external_id = null,
       external_id = coalesce($3, former_external_id), name = coalesce($4, name), role = $5
     where tenant_id = $1 and lower(email) = lower($2) and removed_at is not null
       and not exists (select 1 from member o where o.tenant_id = $1 and o.external_id = $3) returning *`,
    [tenant, email, externalId ?? null, name ?? null, role],
  );
  return rows[0];
}
