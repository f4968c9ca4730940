import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { AuditExportQuery, auditExport, EXPORT_TYPES } from './audit-export.ts';

export const exportAudit = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/audit/export',
  id: 'exportAudit',
  summary: 'A tenant’s audit as a file, oldest first',
  tag: 'Audit',
  access: 'audit.read',
  limit: 'expensive',
  params: TenantParams,
  query: AuditExportQuery,
  streams: EXPORT_TYPES,
  responses: {
    200: { description: 'The file. A connection that breaks off before its end means that entries are missing' },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query }) =>
    withTenant(services, params.tenant, async ({ id, name }) => auditExport(services, id, name, query)),
});
