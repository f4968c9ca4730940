import { z } from 'zod';
import { route } from '../../http/route.ts';
import { gatewayTenant } from './caller.ts';

/** Requests one report names: as many as a body has room for. With more, it says so and is not held against anything. */
const MAX_OPEN = 2_000;
/** Reports kept of one tenant: the newest. A pod that is gone leaves its last one behind. */
const MAX_GATEWAYS = 50;
const MAX_COUNT = 2 ** 31 - 1;

const Count = z.int().min(0).max(MAX_COUNT);

/** What a gateway has not told us yet. The comparison of the night goes by it, and metrics show it. */
export const report = route({
  method: 'post',
  path: '/v1/gateway/report',
  id: 'report',
  summary: 'Say what the outbox holds',
  tag: 'Gateway',
  access: 'gateway',
  body: z.strictObject({
    gateway: z.string().min(1).max(200).meta({ description: 'Name of the process' }),
    undelivered: Count.meta({ description: 'Results that were not acknowledged yet' }),
    oldestSeconds: Count.meta({ description: 'Age of the oldest of them; 0 when there is none' }),
    deadLetters: Count.meta({ description: 'Results that we refused for good; the tenant’s gateways share the list' }),
    open: z.array(z.uuid()).max(MAX_OPEN).meta({ description: 'Every request whose end is not acknowledged' }),
    complete: z.boolean().meta({ description: '`open` has all of them' }),
  }),
  responses: { 204: { description: 'Noted' } },
  run: async ({ pool, now }, { body, principal }) => {
    const tenant = gatewayTenant(principal);
    await pool.query({
      name: 'gateway_report',
      text: `insert into gateway_report (tenant_id, gateway, at, undelivered, oldest_seconds, dead_letters, open, complete)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant_id, gateway) do update set at = excluded.at, undelivered = excluded.undelivered,
          oldest_seconds = excluded.oldest_seconds, dead_letters = excluded.dead_letters, open = excluded.open,
          complete = excluded.complete`,
      values: [
        tenant.id,
        body.gateway,
        now(),
        body.undelivered,
        body.oldestSeconds,
        body.deadLetters,
        body.open,
        body.complete,
      ],
    });
    await pool.query({
      name: 'gateway_report_prune',
      text: `delete from gateway_report where tenant_id = $1 and gateway not in (
        select gateway from gateway_report where tenant_id = $1 order by at desc limit $2)`,
      values: [tenant.id, MAX_GATEWAYS],
    });
    return { status: 204 };
  },
});
