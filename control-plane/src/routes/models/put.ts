import { ModelRegistration } from '../../catalogue/registrations.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { register, registrationOf } from '../../registry/named-registration.ts';
import { ModelParams, ModelView, modelView } from './model-view.ts';

export const putModel = route({
  method: 'put',
  path: '/v1/models/{model}',
  id: 'putModel',
  summary: 'Register a model, or change its registration',
  tag: 'Models',
  access: 'operator',
  params: ModelParams,
  body: ModelRegistration,
  responses: {
    200: { description: 'Changed, or equal already (then nothing was written)', schema: ModelView },
    201: { description: 'Created', schema: ModelView },
    422: { description: 'The input is not valid', schema: Problem },
  },
  run: async (services, { params, body }) => {
    const before = await registrationOf(services.pool, 'model', params.model);
    const outcome = await register(services.pool, 'model', params.model, body);
    if (outcome !== 'unchanged') services.catalogue.forget();
    const note = { target: `model/${params.model}`, before: before ?? null, after: body };
    return {
      status: outcome === 'created' ? 201 : 200,
      body: modelView(params.model, body),
      audit: outcome === 'unchanged' ? 'unchanged' : note,
    };
  },
});
