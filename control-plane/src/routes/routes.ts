import type { Route } from '../http/route.ts';
import { accountRoutes } from './account/account-routes.ts';
import { listAlerts } from './alerts/list.ts';
import { auditRoutes } from './audit/audit-routes.ts';
import { streamEvents } from './events/stream.ts';
import { fileRoutes } from './files/file-routes.ts';
import { authorise } from './gateway/authorise.ts';
import { identify } from './gateway/identify.ts';
import { lease } from './gateway/lease.ts';
import { report } from './gateway/report.ts';
import { settle } from './gateway/settle.ts';
import { voidRequest } from './gateway/void.ts';
import { createGrant } from './grants/create.ts';
import { listGrants } from './grants/list.ts';
import { createReset } from './grants/reset.ts';
import { createReversal } from './grants/reverse.ts';
import { keyRoutes } from './keys/key-routes.ts';
import { deleteModel } from './models/delete.ts';
import { getModel } from './models/get.ts';
import { getModelPrices } from './models/get-prices.ts';
import { listModels } from './models/list.ts';
import { putModel } from './models/put.ts';
import { oidcRoutes } from './oidc/oidc-routes.ts';
import { organisationRoutes } from './organisation/organisation-routes.ts';
import { deletePlan } from './plans/delete.ts';
import { getPlan } from './plans/get.ts';
import { listPlans } from './plans/list.ts';
import { putPlan } from './plans/put.ts';
import { platformRoutes } from './platform/platform-routes.ts';
import { getPriceSnapshot } from './price-snapshots/get.ts';
import { listPriceSnapshots } from './price-snapshots/list.ts';
import { privacyRoutes } from './privacy/privacy-routes.ts';
import { createReconciliation } from './reconciliations/create.ts';
import { listReconciliations } from './reconciliations/list.ts';
import { signInRoutes } from './sign-in/sign-in-routes.ts';
import { healthz, readyz } from './system/health.ts';
import { metrics } from './system/metrics.ts';
import { openapi } from './system/openapi.ts';
import { deleteTenant } from './tenants/delete.ts';
import { getTenant } from './tenants/get.ts';
import { getBudget } from './tenants/get-budget.ts';
import { listTenants } from './tenants/list.ts';
import { putTenant } from './tenants/put.ts';
import { exportUsage } from './usage/export.ts';
import { getForecast } from './usage/get-forecast.ts';
import { listLedger } from './usage/list-ledger.ts';
import { listUsage } from './usage/list-usage.ts';
import { summariseUsage } from './usage/summarise.ts';
import { changeUser } from './users/change.ts';
import { createUser } from './users/create.ts';
import { listUsers } from './users/list.ts';
import { deleteWebhook } from './webhook/delete.ts';
import { getWebhook } from './webhook/get.ts';
import { putWebhook } from './webhook/put.ts';

/** Every operation there is. Server, OpenAPI document and the security test all go by this list. */
export const routes: readonly Route[] = [
  identify,
  authorise,
  settle,
  voidRequest,
  lease,
  report,
  putTenant,
  getTenant,
  listTenants,
  deleteTenant,
  getBudget,
  createGrant,
  listGrants,
  createReset,
  createReversal,
  createUser,
  changeUser,
  listUsers,
  ...keyRoutes,
  listUsage,
  listLedger,
  summariseUsage,
  exportUsage,
  getForecast,
  listAlerts,
  streamEvents,
  putWebhook,
  getWebhook,
  deleteWebhook,
  createReconciliation,
  listReconciliations,
  putPlan,
  getPlan,
  listPlans,
  deletePlan,
  putModel,
  getModel,
  getModelPrices,
  listModels,
  deleteModel,
  listPriceSnapshots,
  getPriceSnapshot,
  ...accountRoutes,
  ...signInRoutes,
  ...organisationRoutes,
  ...oidcRoutes,
  ...fileRoutes,
  ...auditRoutes,
  ...privacyRoutes,
  ...platformRoutes,
  healthz,
  readyz,
  metrics,
  openapi,
];
