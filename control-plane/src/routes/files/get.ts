import { FILE_KINDS } from '../../files/file-kinds.ts';
import { allows } from '../../http/admit.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { FileParams, fileUnknown, kindNotPermitted } from './file-view.ts';

/** Should a browser ever take one for a page: it runs nothing, loads nothing and is nobody's origin. */
const POLICY = "default-src 'none'; sandbox";

export const getFile = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/files/{kind}/{name}',
  id: 'getFile',
  summary: 'A file: logos are shown, exports and invoices saved',
  tag: 'Files',
  access: 'files.read',
  params: FileParams,
  streams: Object.values(FILE_KINDS).flatMap(({ types }) => types),
  responses: {
    200: { description: 'Its bytes' },
    403: { description: 'Exports need usage.read, invoices billing.read', schema: Problem },
    404: { description: 'No such tenant or file', schema: Problem },
  },
  run: (services, { params, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { kind, name } = params;
      const rule = FILE_KINDS[kind];
      if (!allows(principal, role, rule.read)) return kindNotPermitted(kind, rule.read);
      const file = await services.files.find({ tenantId: tenant.id, kind, name });
      if (file === undefined) return fileUnknown();
      return {
        status: 200,
        body: await services.files.content(tenant.id, file),
        headers: {
          'content-type': file.contentType,
          'content-disposition': `${rule.inline ? 'inline' : 'attachment'}; filename="${name}"`,
          'content-security-policy': POLICY,
          'x-content-type-options': 'nosniff',
          'cross-origin-resource-policy': 'same-origin',
          'cache-control': 'private, no-cache',
          etag: `"${file.sha256.toString('hex')}"`,
        },
      };
    }),
});
