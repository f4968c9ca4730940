import { z } from 'zod';
import { eraseChain } from '../../audit/erase.ts';
import { inTransaction } from '../../database/pool.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { forgetChat } from '../../oidc/forget.ts';
import { forgetOrganisation } from '../../organisation/forget.ts';
import { TenantParams, withTenant } from './tenant-view.ts';

/** The ledger is kept in either case: it is what was billed. */
export const deleteTenant = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}',
  id: 'deleteTenant',
  summary: 'Close a tenant; with data=erase also forget its people and keys and free its name',
  tag: 'Tenants',
  access: 'operator',
  params: TenantParams,
  query: z.strictObject({ data: z.enum(['keep', 'erase']).default('keep') }),
  responses: {
    204: { description: 'Closed. No call is authorised any more; what is under way can still be settled' },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const erase = query.data === 'erase';
      await inTransaction(services.pool, async (client) => {
        await client.query('update tenant set state = $2, revision = revision + 1, changed_at = now() where id = $1', [
          tenant.id,
          erase ? 'erased' : 'closed',
        ]);
        if (!erase) return;
        await client.query('update api_key set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1', [
          tenant.id,
        ]);
        await forgetOrganisation(client, tenant.id);
        await forgetChat(client, tenant.id);
        await client.query(`update tenant set registration = registration || '{"owners": []}' where id = $1`, [
          tenant.id,
        ]);
        await eraseChain(client, tenant.id);
        await client.query('delete from webhook where tenant_id = $1', [tenant.id]);
        await client.query(
          `update delivery set recipient = id::text, taken_until = null, ended_at = coalesce(ended_at, now()),
             state = case state when 'pending' then 'failed' else state end where tenant_id = $1`,
          [tenant.id],
        );
      });
      services.catalogue.forget();
      const after = { state: erase ? 'erased' : 'closed' };
      return { status: 204, audit: { target: `tenant/${tenant.name}`, before: { state: tenant.state }, after } };
    }),
});
