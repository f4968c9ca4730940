import { PLATFORM_CHAIN } from '../../audit/append.ts';
import { route } from '../../http/route.ts';
import { AuditListQuery, AuditPage, auditPage } from './audit-list.ts';

export const listPlatformAudit = route({
  method: 'get',
  path: '/v1/audit',
  id: 'listPlatformAudit',
  summary: 'Who changed what on the platform: accounts, sign-ins, plans, models; newest first',
  tag: 'Audit',
  access: 'admin',
  query: AuditListQuery,
  responses: { 200: { description: 'A page', schema: AuditPage } },
  run: (services, { query }) => auditPage(services, PLATFORM_CHAIN, query),
});
