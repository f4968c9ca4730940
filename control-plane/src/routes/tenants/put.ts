import { TenantRegistration } from '../../catalogue/registrations.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { registerTenant } from '../../registry/register-tenant.ts';
import { TenantParams, TenantView, tenantView, withTenant } from './tenant-view.ts';

export const putTenant = route({
  method: 'put',
  path: '/v1/tenants/{tenant}',
  id: 'putTenant',
  summary: 'Register a tenant, or change its registration',
  tag: 'Tenants',
  access: 'operator',
  params: TenantParams,
  body: TenantRegistration,
  responses: {
    200: { description: 'Changed, or equal already (then nothing was written)', schema: TenantView },
    201: { description: 'Created', schema: TenantView },
    409: { description: 'A credential or chat key is in use by another tenant', schema: Problem },
    422: { description: 'The input is not valid', schema: Problem },
  },
  run: async (services, { params, body }) => {
    const before = await services.catalogue.tenantByName(params.tenant);
    const { outcome } = await registerTenant(services.pool, services.ledger, params.tenant, body);
    if (outcome === 'credential_taken') {
      const detail = 'the gateway credential or chat key is in use by another tenant; generate new ones';
      return { status: 409, body: problem(409, 'credential_taken', detail) };
    }
    if (outcome === 'time_zone_unknown') {
      const errors = [{ path: 'timeZone', message: 'is not known to the database' }];
      return { status: 422, body: problem(422, 'invalid_input', 'timeZone: is not known to the database', { errors }) };
    }
    if (outcome !== 'unchanged') services.catalogue.forget();
    return withTenant(services, params.tenant, async (tenant) => ({
      status: outcome === 'created' ? 201 : 200,
      body: await tenantView(services, tenant),
      audit:
        outcome === 'unchanged'
          ? 'unchanged'
          : { target: `tenant/${tenant.name}`, before: before?.registration ?? null, after: tenant.registration },
    }));
  },
});
