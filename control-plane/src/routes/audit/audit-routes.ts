import type { Route } from '../../http/route.ts';
import { exportAudit } from './export.ts';
import { exportPlatformAudit } from './export-platform.ts';
import { listAudit } from './list.ts';
import { listPlatformAudit } from './list-platform.ts';
import { verifyAudit } from './verify.ts';
import { verifyPlatformAudit } from './verify-platform.ts';

export const auditRoutes: readonly Route[] = [
  listAudit,
  verifyAudit,
  exportAudit,
  listPlatformAudit,
  verifyPlatformAudit,
  exportPlatformAudit,
];
