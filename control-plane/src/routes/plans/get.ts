import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { registrationOf } from '../../registry/named-registration.ts';
import { noSuchPlan, PlanParams, PlanView, planView } from './plan-view.ts';

export const getPlan = route({
  method: 'get',
  path: '/v1/plans/{plan}',
  id: 'getPlan',
  summary: 'A registered plan',
  tag: 'Plans',
  access: 'person',
  operatorToo: true,
  params: PlanParams,
  responses: {
    200: { description: 'The registration', schema: PlanView },
    404: { description: 'No such plan', schema: Problem },
  },
  run: async ({ pool }, { params }) => {
    const stored = await registrationOf(pool, 'plan', params.plan);
    return stored === undefined ? noSuchPlan(params.plan) : { status: 200, body: planView(params.plan, stored) };
  },
});
