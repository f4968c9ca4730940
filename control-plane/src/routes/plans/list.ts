import { z } from 'zod';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { route } from '../../http/route.ts';
import { registrationsAfter } from '../../registry/named-registration.ts';
import { PlanView, planView } from './plan-view.ts';

export const listPlans = route({
  method: 'get',
  path: '/v1/plans',
  id: 'listPlans',
  summary: 'All plans by name',
  tag: 'Plans',
  access: 'person',
  operatorToo: true,
  query: PageQuery,
  responses: { 200: { description: 'A page', schema: pageOf(PlanView) } },
  run: async ({ pool }, { query }) => {
    const rows = await registrationsAfter(pool, 'plan', readCursor(query.cursor, z.string(), ''), query.limit + 1);
    const { items, nextCursor } = page(rows, query.limit, ({ name }) => name);
    return { status: 200, body: { items: items.map((row) => planView(row.name, row.registration)), nextCursor } };
  },
});
