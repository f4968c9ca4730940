import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { registrationOf } from '../../registry/named-registration.ts';
import { ModelParams, ModelView, modelView, noSuchModel } from './model-view.ts';

export const getModel = route({
  method: 'get',
  path: '/v1/models/{model}',
  id: 'getModel',
  summary: 'A registered model',
  tag: 'Models',
  access: 'operator',
  params: ModelParams,
  responses: {
    200: { description: 'The registration', schema: ModelView },
    404: { description: 'No such model', schema: Problem },
  },
  run: async ({ pool }, { params }) => {
    const stored = await registrationOf(pool, 'model', params.model);
    return stored === undefined ? noSuchModel(params.model) : { status: 200, body: modelView(params.model, stored) };
  },
});
