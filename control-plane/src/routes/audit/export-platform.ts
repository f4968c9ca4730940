import { PLATFORM_CHAIN } from '../../audit/append.ts';
import { route } from '../../http/route.ts';
import { AuditExportQuery, auditExport, EXPORT_TYPES } from './audit-export.ts';

export const exportPlatformAudit = route({
  method: 'get',
  path: '/v1/audit/export',
  id: 'exportPlatformAudit',
  summary: 'The platform’s audit as a file, oldest first',
  tag: 'Audit',
  access: 'admin',
  limit: 'expensive',
  query: AuditExportQuery,
  streams: EXPORT_TYPES,
  responses: {
    200: { description: 'The file. A connection that breaks off before its end means that entries are missing' },
  },
  run: async (services, { query }) => auditExport(services, PLATFORM_CHAIN, 'platform', query),
});
