import { z } from 'zod';
import { DnsLabel } from '../../catalogue/registrations.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { SettableNanoEur } from '../../pricing/money.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { UserView, userView } from './user-view.ts';

export const changeUser = route({
  method: 'patch',
  path: '/v1/tenants/{tenant}/users/{user}',
  id: 'changeUser',
  summary: 'Set what a user may spend in a month',
  tag: 'Users',
  access: 'members.write',
  params: z.strictObject({ tenant: DnsLabel, user: z.uuid() }),
  body: z.strictObject({
    monthlyBudgetNanoEur: SettableNanoEur.nullable().meta({ description: 'null: the tenant’s default for users' }),
  }),
  responses: {
    200: { description: 'Set; it counts from the next request on', schema: UserView },
    404: { description: 'No such tenant or user', schema: Problem },
  },
  run: (services, { params, body }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { rows } = await services.pool.query(
        `with before as (select id, monthly_budget from member where id = $1 and tenant_id = $2
             and removed_at is null for update)
         update member m set monthly_budget = $3 from before where m.id = before.id
         returning m.*, before.monthly_budget as budget_before`,
        [params.user, tenant.id, body.monthlyBudgetNanoEur],
      );
      if (rows[0] === undefined) {
        return { status: 404, body: problem(404, 'user_unknown', 'this tenant has no user with this id') };
      }
      await services.ledger.refreshLimits(tenant.account);
      const audit = {
        target: `user/${params.user}`,
        before: { monthlyBudgetNanoEur: rows[0].budget_before },
        after: { monthlyBudgetNanoEur: rows[0].monthly_budget },
      };
      return { status: 200, body: userView(rows[0]), audit };
    }),
});
