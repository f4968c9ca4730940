import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { route } from '../../http/route.ts';
import { registrationsAfter } from '../../registry/named-registration.ts';
import { ModelView, modelView } from './model-view.ts';

export const listModels = route({
  method: 'get',
  path: '/v1/models',
  id: 'listModels',
  summary: 'All models by name',
  tag: 'Models',
  access: 'operator',
  query: PageQuery,
  responses: { 200: { description: 'A page', schema: pageOf(ModelView) } },
  run: async ({ pool }, { query }) => {
    const rows = await registrationsAfter(pool, 'model', readCursor(query.cursor, z.string(), ''), query.limit + 1);
    const { items, nextCursor } = page(rows, query.limit, ({ name }) => name);
    return { status: 200, body: { items: items.map((row) => modelView(row.name, row.registration)), nextCursor } };
  },
});
