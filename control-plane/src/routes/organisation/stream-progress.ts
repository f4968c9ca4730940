import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { rightsInNewTenant } from '../../organisation/resource/access.ts';
import { progressStream } from '../../organisation/resource/progress-stream.ts';
import { noSuchTenant, TenantParams } from '../tenants/tenant-view.ts';
import { withCluster } from './cluster-answers.ts';

/** Streams one process holds open, of all tenants together. */
const MAX_STREAMS = 1_000;
const RETRY_SECONDS = 30;

export const streamProgress = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/progress',
  id: 'streamTenantProgress',
  summary: 'How far a tenant is, live, as server-sent events: where it is now, then each change',
  tag: 'Tenants',
  access: 'person',
  params: TenantParams,
  streams: ['text/event-stream'],
  responses: {
    200: { description: 'An endless stream of `progress` (see TenantProgress), and `gone` when the Tenant is no more' },
    404: { description: 'No such tenant', schema: Problem },
    429: { description: 'Too many open streams', schema: Problem },
    503: { description: 'This control plane runs without a cluster', schema: Problem },
  },
  run: async (services, { params, principal, signal }) => {
    const rights = await rightsInNewTenant(services.pool, principal, params.tenant);
    if (rights === undefined) return { status: 404, body: noSuchTenant(params.tenant) };
    return withCluster(services, async (resources) => {
      if (resources.listeners() >= MAX_STREAMS) {
        const detail = 'too many progress streams are open; try again';
        const body = problem(429, 'too_many_streams', detail, { retryAfterSeconds: RETRY_SECONDS });
        return { status: 429, body, headers: { 'retry-after': String(RETRY_SECONDS) } };
      }
      const body = progressStream({ resources, tenant: params.tenant, signal });
      return { status: 200, body, headers: { 'content-type': 'text/event-stream; charset=utf-8' } };
    });
  },
});
