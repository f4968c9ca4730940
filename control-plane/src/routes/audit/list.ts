import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { AuditListQuery, AuditPage, auditPage } from './audit-list.ts';

export const listAudit = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/audit',
  id: 'listAudit',
  summary: 'Who changed what in a tenant, newest first',
  tag: 'Audit',
  access: 'audit.read',
  params: TenantParams,
  query: AuditListQuery,
  responses: {
    200: { description: 'A page', schema: AuditPage },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) => withTenant(services, params.tenant, ({ id }) => auditPage(services, id, query)),
});
