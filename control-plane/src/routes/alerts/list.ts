import { z } from 'zod';
import { allows } from '../../http/admit.ts';
import { PageQuery, page, pageOf, readCursor } from '../../http/paging.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { NanoEur } from '../../pricing/money.ts';
import { TenantParams, withTenant } from '../tenants/tenant-view.ts';

const Delivery = z.object({
  id: z.uuid().meta({ description: 'webhook-id of the webhook, Message-ID of the mail: the same at every attempt' }),
  channel: z.enum(['mail', 'webhook']),
  recipient: z.string(),
  state: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int(),
  nextAttemptAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  lastError: z.string().nullable(),
});

const Alert = z
  .object({
    id: z.uuid(),
    eventId: z.string().meta({ description: 'Id of its event in the stream' }),
    at: z.iso.datetime(),
    scope: z.enum(['tenant', 'user', 'key']),
    subjectId: z.uuid().nullable().meta({ description: 'The user or key whose budget it is' }),
    period: z.string(),
    thresholdPercent: z.int(),
    spentNanoEur: NanoEur,
    budgetNanoEur: NanoEur,
    deliveries: z.array(Delivery),
  })
  .meta({ id: 'Alert' });

const Row = z.object({
  id: z.uuid(),
  event_id: z.bigint(),
  at: z.date(),
  scope: z.enum(['tenant', 'user', 'key']),
  subject_id: z.uuid().nullable(),
  period: z.string(),
  threshold_percent: z.int(),
  spent: z.bigint(),
  budget: z.bigint(),
  deliveries: z.array(Delivery),
});

/** A timestamp as JSON has it, of milliseconds and UTC. */
const iso = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export const listAlerts = route({
  method: 'get',
  path: '/v1/tenants/{tenant}/alerts',
  id: 'listAlerts',
  summary: 'Budget thresholds a tenant, its users and keys have reached, oldest first, and who was told',
  tag: 'Alerts',
  access: 'budget.read',
  params: TenantParams,
  query: PageQuery,
  responses: {
    200: { description: 'A page', schema: pageOf(Alert) },
    404: { description: 'No such tenant', schema: Problem },
  },
  run: (services, { params, query, principal, role }) =>
    withTenant(services, params.tenant, async (tenant) => {
      const after = readCursor(query.cursor, z.string().regex(/^\d{1,18}$/), '0');
      const { rows } = await services.pool.query(
        `select a.*, coalesce((
           select jsonb_agg(jsonb_build_object('id', d.id, 'channel', d.channel, 'recipient', d.recipient,
             'state', d.state, 'attempts', d.attempts, 'lastError', d.last_error, 'endedAt', ${iso('d.ended_at')},
             'nextAttemptAt', case when d.state = 'pending' then ${iso('d.next_attempt_at')} end)
             order by d.channel, d.recipient)
           from delivery d where d.alert_id = a.id and $4), '[]') as deliveries
         from alert a where a.tenant_id = $1 and a.event_id > $2 and ($4 or a.scope = 'tenant')
         order by a.event_id limit $3`,
        // What single users and keys have spent, and who was told, is for those who may know it.
        [tenant.id, after, query.limit + 1, allows(principal, role, 'usage.read')],
      );
      const alerts = rows.map((row) => Row.parse(row));
      const { items, nextCursor } = page(alerts, query.limit, ({ event_id }) => event_id.toString());
      return { status: 200, body: { items: items.map(alertView), nextCursor } };
    }),
});

function alertView(row: z.output<typeof Row>): z.input<typeof Alert> {
  return {
    id: row.id,
    eventId: row.event_id.toString(),
    at: row.at.toISOString(),
    scope: row.scope,
    subjectId: row.subject_id,
    period: row.period,
    thresholdPercent: row.threshold_percent,
    spentNanoEur: row.spent.toString(),
    budgetNanoEur: row.budget.toString(),
    deliveries: row.deliveries,
  };
}
