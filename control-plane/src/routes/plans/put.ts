import { PlanRegistration } from '../../catalogue/registrations.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { register, registrationOf } from '../../registry/named-registration.ts';
import { PlanParams, PlanView, planView } from './plan-view.ts';

export const putPlan = route({
  method: 'put',
  path: '/v1/plans/{plan}',
  id: 'putPlan',
  summary: 'Register a plan, or change its registration',
  tag: 'Plans',
  access: 'operator',
  params: PlanParams,
  body: PlanRegistration,
  responses: {
    200: { description: 'Changed, or equal already (then nothing was written)', schema: PlanView },
    201: { description: 'Created', schema: PlanView },
    422: { description: 'The input is not valid', schema: Problem },
  },
  run: async (services, { params, body }) => {
    const before = await registrationOf(services.pool, 'plan', params.plan);
    const outcome = await register(services.pool, 'plan', params.plan, body);
    const note = { target: `plan/${params.plan}`, before: before ?? null, after: body };
    return {
      status: outcome === 'created' ? 201 : 200,
      body: planView(params.plan, body),
      audit: outcome === 'unchanged' ? 'unchanged' : note,
    };
  },
});
