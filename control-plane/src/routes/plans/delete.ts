import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { registrationOf, unregister } from '../../registry/named-registration.ts';
import { noSuchPlan, PlanParams } from './plan-view.ts';

export const deletePlan = route({
  method: 'delete',
  path: '/v1/plans/{plan}',
  id: 'deletePlan',
  summary: 'Remove a plan; what was billed by it stays explained in the usage lines',
  tag: 'Plans',
  access: 'operator',
  params: PlanParams,
  responses: {
    204: { description: 'Removed' },
    404: { description: 'No such plan', schema: Problem },
  },
  run: async (services, { params }) => {
    const before = await registrationOf(services.pool, 'plan', params.plan);
    const removed = await unregister(services.pool, 'plan', params.plan);
    return removed ? { status: 204, audit: { target: `plan/${params.plan}`, before } } : noSuchPlan(params.plan);
  },
});
