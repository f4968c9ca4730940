import { PLATFORM_CHAIN } from '../../audit/append.ts';
import { route } from '../../http/route.ts';
import { AuditVerification, auditVerification } from './audit-verification.ts';

export const verifyPlatformAudit = route({
  method: 'get',
  path: '/v1/audit/verification',
  id: 'verifyPlatformAudit',
  summary: 'Prove the platform’s audit from its entries, or name those that are wrong',
  tag: 'Audit',
  access: 'admin',
  limit: 'expensive',
  responses: { 200: { description: 'What was found', schema: AuditVerification } },
  run: (services) => auditVerification(services, PLATFORM_CHAIN),
});
