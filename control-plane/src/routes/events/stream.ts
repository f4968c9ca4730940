import { z } from 'zod';
import { eventStream, newestEvent } from '../../events/event-stream.ts';
import { eventTypesText, patternsOf, TypesFilter } from '../../events/event-types.ts';
import { HttpProblem, Problem, problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';

/** Streams one process holds open for one tenant. */
const MAX_STREAMS_PER_TENANT = 50;
const RETRY_SECONDS = 30;

const EventNumber = z.string().regex(/^\d{1,18}$/, 'must be the id of an event');

export const streamEvents = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/events',
  id: 'streamEvents',
  summary: 'What happens to a tenant, live, as server-sent events',
  tag: 'Events',
  access: 'usage.read',
  params: TenantParams,
  query: z.strictObject({
    after: EventNumber.optional().meta({
      description:
        'Start after the event of this id. A Last-Event-ID header, as browsers send it when they reconnect, wins. Without both only what happens from now on is sent; "0" sends all there is',
    }),
    types: TypesFilter.optional().meta({
      description: 'Only these types, with commas between; `member.*` is all of a family. Absent: all',
      example: 'usage.posted,budget.changed',
    }),
  }),
  streams: ['text/event-stream'],
  responses: {
    200: {
      description: `An endless stream. Events have ids in their order; data is JSON with \`at\`, and by type:\n\n${eventTypesText()}`,
    },
    404: { description: 'No such tenant', schema: Problem },
    429: { description: 'Too many open streams of this tenant', schema: Problem },
  },
  run: (services, { params, query, signal, lastEventId }) =>
    withTenant(services, params.tenant, async ({ id }) => {
      const { pool, bell } = services;
      if (bell.count('cloudfreedom_event', id.toString()) >= MAX_STREAMS_PER_TENANT) {
        const detail = `a tenant may have ${MAX_STREAMS_PER_TENANT} open streams; close one`;
        const body = problem(429, 'too_many_streams', detail, { retryAfterSeconds: RETRY_SECONDS });
        return { status: 429, body, headers: { 'retry-after': String(RETRY_SECONDS) } };
      }
      const newest = await newestEvent(pool, id);
      const asked = lastEventId === undefined ? query.after : parseLastEventId(lastEventId);
      // A number from before a restored backup may be ahead of us: its reader goes on with what comes now.
      const after = asked === undefined || BigInt(asked) > newest ? newest : BigInt(asked);
      const patterns = query.types === undefined ? undefined : patternsOf(query.types);
      const body = eventStream({ pool, bell, tenant: id, after, patterns, signal });
      return { status: 200, body, headers: { 'content-type': 'text/event-stream; charset=utf-8' } };
    }),
});

function parseLastEventId(given: string): string {
  const parsed = EventNumber.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new HttpProblem(422, 'invalid_input', 'Last-Event-ID: must be the id of an event', {
    errors: [{ path: 'headers.Last-Event-ID', message: 'must be the id of an event' }],
  });
}
