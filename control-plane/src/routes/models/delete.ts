import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { registrationOf, unregister } from '../../registry/named-registration.ts';
import { ModelParams, noSuchModel } from './model-view.ts';

export const deleteModel = route({
  method: 'delete',
  path: '/v1/models/{model}',
  id: 'deleteModel',
  summary: 'Remove a model; what was billed by it stays explained in the usage lines',
  tag: 'Models',
  access: 'operator',
  params: ModelParams,
  responses: {
    204: { description: 'Removed' },
    404: { description: 'No such model', schema: Problem },
  },
  run: async (services, { params }) => {
    const before = await registrationOf(services.pool, 'model', params.model);
    const removed = await unregister(services.pool, 'model', params.model);
    services.catalogue.forget();
    return removed ? { status: 204, audit: { target: `model/${params.model}`, before } } : noSuchModel(params.model);
  },
});
