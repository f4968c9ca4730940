import { route } from '../../http/route.ts';

export const metrics = route({
  method: 'get',
  path: '/metrics',
  id: 'metrics',
  summary: 'Metrics in Prometheus’ text format',
  tag: 'System',
  access: 'public',
  limit: 'none',
  responses: { 200: { description: 'Metrics; no tenant, user or key is named in them' } },
  run: async ({ metrics: { registry } }) => ({
    status: 200,
    body: await registry.metrics(),
    headers: { 'content-type': registry.contentType },
  }),
});
