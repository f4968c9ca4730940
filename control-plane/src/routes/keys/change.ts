import { z } from 'zod';
import { DnsLabel } from '../../catalogue/registrations.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { SettableNanoEur } from '../../pricing/money.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { KeyView, keyView } from './key-view.ts';

export const changeKey = route({
  method: 'patch',
  path: '/v1/tenants/{tenant}/keys/{key}',
  id: 'changeKey',
  summary: 'Set what an API key may spend in a month',
  tag: 'Keys',
  access: 'admin',
  params: z.strictObject({ tenant: DnsLabel, key: z.uuid() }),
  body: z.strictObject({
    monthlyBudgetNanoEur: SettableNanoEur.nullable().meta({ description: 'null: the tenant’s default for keys' }),
  }),
  responses: {
    200: { description: 'Set; it counts from the next request on', schema: KeyView },
    404: { description: 'No such tenant or API key', schema: Problem },
  },
  run: (services, { params, body }) =>
    withTenant(services, params.tenant, async (tenant) => {
      // The chat's own key has no limit: it would stop the chat for everybody. Its users have theirs.
      const { rows } = await services.pool.query(
        `update api_key set monthly_budget = $3 where id = $1 and tenant_id = $2 and kind = 'api' returning *`,
        [params.key, tenant.id, body.monthlyBudgetNanoEur],
      );
      if (rows[0] === undefined) {
        return { status: 404, body: problem(404, 'key_unknown', 'this tenant has no API key with this id') };
      }
      await services.ledger.refreshLimits(tenant.account);
      return { status: 200, body: keyView(rows[0]) };
    }),
});
