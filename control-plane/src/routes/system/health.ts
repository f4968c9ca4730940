import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';

const Ok = z.object({ status: z.literal('ok') });

/** The process answers. Nothing else is asked: a database that is away is no reason to restart us. */
export const healthz = route({
  method: 'get',
  path: '/healthz',
  id: 'healthz',
  summary: 'The process is alive',
  tag: 'System',
  access: 'public',
  limit: 'none',
  responses: { 200: { description: 'Alive', schema: Ok } },
  run: async () => ({ status: 200, body: { status: 'ok' } }),
});

export const readyz = route({
  method: 'get',
  path: '/readyz',
  id: 'readyz',
  summary: 'It can serve: the database answers, and it is not shutting down',
  tag: 'System',
  access: 'public',
  limit: 'none',
  responses: {
    200: { description: 'Ready', schema: Ok },
    503: { description: 'Shutting down, or the database does not answer', schema: Problem },
  },
  run: async ({ pool, draining, log }) => {
    if (draining()) return { status: 503, body: problem(503, 'draining', 'shutting down') };
    try {
      await pool.query('select 1');
      return { status: 200, body: { status: 'ok' } };
    } catch (error) {
      log.warn({ err: error }, 'the database does not answer');
      return { status: 503, body: problem(503, 'database_away', 'the database does not answer') };
    }
  },
});
