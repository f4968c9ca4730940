import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { SettableNanoEur } from '../../pricing/money.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { KeyParams, KeyView, keyUnknown, keyView } from './key-view.ts';

export const changeKey = route({
  method: 'patch',
  path: '/v1/tenants/{tenant}/keys/{key}',
  id: 'changeKey',
  summary: 'Set what an API key may spend in a month',
  tag: 'Keys',
  access: 'keys.manage',
  params: KeyParams,
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
      if (rows[0] === undefined) return keyUnknown();
      await services.ledger.refreshLimits(tenant.account);
      return { status: 200, body: keyView(rows[0]) };
    }),
});
