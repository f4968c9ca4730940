import { FILE_KINDS } from '../../files/file-kinds.ts';
import { allows } from '../../http/admit.ts';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { FileParams, fileUnknown, fileView, kindNotPermitted } from './file-view.ts';

export const deleteFile = route({
  method: 'delete',
  path: '/v1/tenants/{tenant}/files/{kind}/{name}',
  id: 'deleteFile',
  summary: 'Remove a logo or an export',
  tag: 'Files',
  access: 'files.write',
  params: FileParams,
  responses: {
    204: { description: 'Gone for every reader; its bytes are removed within hours' },
    403: { description: 'Not permitted, or an invoice', schema: Problem },
    404: { description: 'No such tenant or file', schema: Problem },
  },
  run: (services, { params, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const { kind, name } = params;
      const { remove, read } = FILE_KINDS[kind];
      if (remove === undefined) {
        const detail = 'invoices are kept for as long as the law demands; nobody can remove one';
        return { status: 403, body: problem(403, 'kept_by_law', detail) };
      }
      // Whoever may not see it does not learn by removing it that it was there.
      if (!allows(principal, role, read)) return kindNotPermitted(kind, read);
      const file = await services.files.remove({ tenantId: tenant.id, kind, name });
      if (file === undefined) return fileUnknown();
      return { status: 204, audit: { action: 'file.delete', target: `file/${kind}/${name}`, before: fileView(file) } };
    }),
});
