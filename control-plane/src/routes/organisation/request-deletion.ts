import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { conflictsOf } from '../../organisation/resource/wish.ts';
import { specOf } from '../../organisation/resource/write-tenant.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { fieldManaged, noSuchResource, withCluster } from './cluster-answers.ts';

export const requestDeletion = route({
  method: 'post',
  path: '/v1/tenants/{tenant}/deletion',
  id: 'requestTenantDeletion',
  summary: 'Delete a tenant; what becomes of its data is what its deletion policy says',
  tag: 'Tenants',
  access: 'owner',
  params: TenantParams,
  body: z.strictObject({
    name: z.string().max(63).meta({ description: 'The tenant’s name once more, typed by hand' }),
  }),
  responses: {
    202: {
      description: 'The operator carries the deletion policy out',
      schema: z.object({ tenant: z.string(), deletionPolicy: z.enum(['Retain', 'Snapshot', 'Delete']) }),
    },
    403: { description: 'Signed in too long ago', schema: Problem },
    404: { description: 'No such tenant, or not in the cluster', schema: Problem },
    409: { description: 'It was made elsewhere (field_managed): delete it there', schema: Problem },
    422: { description: 'The name does not match', schema: Problem },
    503: { description: 'The cluster does not answer', schema: Problem },
  },
  run: (services, { params, body, principal }) =>
    withTenant(services, params.tenant, async ({ name }) => {
      const stale = principal.kind === 'person' ? requireRecent({ principal }, services.now()) : undefined;
      if (stale !== undefined) return stale;
      if (body.name !== name) {
        const errors = [{ path: 'name', message: `must be "${name}"` }];
        return {
          status: 422,
          body: problem(422, 'name_not_confirmed', 'the name typed is not the tenant’s', { errors }),
        };
      }
      return withCluster(services, async (resources) => {
        const live = await resources.get(name);
        const uid = live?.metadata.uid;
        if (live === undefined || uid === undefined) return noSuchResource();
        // Who wrote the Tenant holds its owners. Git would make it again the moment it is gone.
        const conflicts = conflictsOf(live, new Map([['owners', undefined]]));
        if (conflicts.length > 0) return fieldManaged(conflicts);
        await resources.delete(name, uid);
        const deletionPolicy = specOf(live)?.deletionPolicy ?? 'Retain';
        const audit = { target: `tenant/${name}`, before: { deletionPolicy } };
        return { status: 202, body: { tenant: name, deletionPolicy }, audit };
      });
    }),
});
