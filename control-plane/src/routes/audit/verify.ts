import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { AuditVerification, auditVerification } from './audit-verification.ts';

export const verifyAudit = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/audit/verification',
  id: 'verifyAudit',
  summary: 'Prove a tenant’s audit from its entries, or name those that are wrong',
  tag: 'Audit',
  access: 'audit.read',
  limit: 'expensive',
  params: TenantParams,
  responses: {
    200: { description: 'What was found', schema: AuditVerification },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params }) => withTenant(services, params.tenant, ({ id }) => auditVerification(services, id)),
});
