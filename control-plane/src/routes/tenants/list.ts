import { z } from 'zod';
import { TENANT_COLUMNS, tenantRecord } from '../../catalogue/tenant-record.ts';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { route } from '../../http/route.ts';
import { TenantView, tenantView } from './tenant-view.ts';

export const listTenants = route({
  method: 'get',
  path: '/v1/tenants',
  id: 'listTenants',
  summary: 'All tenants by name',
  tag: 'Tenants',
  access: 'operator',
  query: PageQuery,
  responses: { 200: { description: 'A page', schema: pageOf(TenantView) } },
  run: async (services, { query }) => {
    const after = readCursor(query.cursor, z.string(), '');
    const { rows } = await services.pool.query(
      `select ${TENANT_COLUMNS} where t.state <> 'erased' and t.name > $1 order by t.name limit $2`,
      [after, query.limit + 1],
    );
    const { items, nextCursor } = page(rows.map(tenantRecord), query.limit, ({ name }) => name);
    const views = await Promise.all(items.map((tenant) => tenantView(services, tenant)));
    return { status: 200, body: { items: views, nextCursor } };
  },
});
