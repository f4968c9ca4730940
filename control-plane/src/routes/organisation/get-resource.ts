import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { rightsInNewTenant } from '../../organisation/resource/access.ts';
import { noSuchTenant, TenantParams } from '../tenants/tenant-view.ts';
import { noSuchResource, withCluster } from './cluster-answers.ts';
import { ResourceView, resourceView } from './resource-view.ts';

export const getResource = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/resource',
  id: 'getTenantResource',
  summary: 'The Tenant in the cluster: its wish, how far it is, and who holds each field',
  tag: 'Tenants',
  access: 'person',
  params: TenantParams,
  responses: {
    200: { description: 'As the API server has it now', schema: ResourceView },
    404: { description: 'No such tenant, or not in the cluster', schema: Problem },
    503: { description: 'The cluster does not answer', schema: Problem },
  },
  run: async (services, { params, principal }) => {
    // Whoever wished it sees it before the operator has registered it, so no permission is judged at the door.
    const rights = await rightsInNewTenant(services.pool, principal, params.tenant);
    if (rights === undefined) return { status: 404, body: noSuchTenant(params.tenant) };
    return withCluster(services, async (resources) => {
      const tenant = await resources.get(params.tenant);
      return tenant === undefined ? noSuchResource() : { status: 200, body: resourceView(tenant, rights) };
    });
  },
});
