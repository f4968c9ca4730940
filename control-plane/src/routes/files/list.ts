import { z } from 'zod';
import { FILE_KINDS, FileKind } from '../../files/file-kinds.ts';
import { allows } from '../../http/admit.ts';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';
import { FileView, fileView } from './file-view.ts';

const Position = z.tuple([z.string(), z.string()]);
const START: z.output<typeof Position> = ['', ''];

export const listFiles = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/files',
  id: 'listFiles',
  summary: 'Files of a tenant by kind and name; of the kinds that the caller may read',
  tag: 'Files',
  access: 'files.read',
  params: TenantParams,
  query: PageQuery.extend({ kind: FileKind.optional() }),
  responses: {
    200: { description: 'A page', schema: pageOf(FileView) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const asked = query.kind === undefined ? FileKind.options : [query.kind];
      const kinds = asked.filter((kind) => allows(principal, role, FILE_KINDS[kind].read));
      const after = readCursor(query.cursor, Position, START);
      const found = await services.files.list(tenant.id, kinds, after, query.limit);
      const { items, nextCursor } = page(found, query.limit, ({ kind, name }) => [kind, name]);
      return { status: 200, body: { items: items.map(fileView), nextCursor } };
    }),
});
