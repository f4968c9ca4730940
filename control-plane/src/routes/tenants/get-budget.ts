import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { BudgetView, budgetView, TenantParams, withTenant } from './tenant-view.ts';

export const getBudget = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/budget',
  id: 'getBudget',
  summary: 'What a tenant has, has spent and holds in the present period',
  tag: 'Tenants',
  access: 'budget.read',
  operatorToo: true,
  params: TenantParams,
  responses: {
    200: { description: 'The budget', schema: BudgetView },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params }) =>
    withTenant(services, params.tenant, async (tenant) => ({
      status: 200,
      body: budgetView(tenant.name, await services.ledger.budget(tenant.account)),
    })),
});
