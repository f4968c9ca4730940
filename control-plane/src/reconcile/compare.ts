import type pg from 'pg';
import { z } from 'zod';

/** Faults listed of one kind; how many there are beyond that is in the figures. */
const MAX_FAULTS = 100;
/** Milliseconds all comparisons may take together: they read every line there is. */
const TIMEOUT_MS = 30 * 60_000;
/** Minutes after its expiry by which a hold must have been ended: the sweeper looks every few seconds. */
const OVERDUE_MINUTES = 10;
/** Minutes for which a gateway's report counts; it makes one a minute. A younger hold may not be in it yet. */
const REPORT_MINUTES = 5;

export const Fault = z.object({
  kind: z.enum(['ledger', 'rollup', 'hold', 'gateway']),
  tenant: z.string(),
  detail: z.string(),
});
export type Fault = z.output<typeof Fault>;

/** What was counted. "Ended" figures are of the holds that ended within the last 24 hours. */
export const Figures = z.object({
  accounts: z.int(),
  entries: z.int(),
  usageLines: z.int(),
  faults: z.int(),
  endedPosted: z.int(),
  endedVoided: z.int(),
  endedExpired: z.int(),
  captureRate: z.number().min(0).max(1).nullable().meta({
    description: 'Share of authorised requests whose end the gateway reported (posted or voided); null: none ended',
  }),
  authorisedNanoEur: z.string().meta({ description: 'Held for the requests that were then posted' }),
  postedNanoEur: z.string().meta({ description: 'Posted for them' }),
  liveHolds: z.int(),
  oldestHoldSeconds: z.int().nullable().meta({ description: 'Age of the oldest hold that has not ended' }),
  tenantsReported: z.int().meta({
    description: 'Tenants whose gateways all said lately what they have open; their holds are held against it',
  }),
  unknownToGateways: z.int().meta({ description: 'Live holds of those that no gateway knows of' }),
  deadLetters: z.int().meta({ description: 'Results that gateways could not deliver because they were refused' }),
});
export type Figures = z.output<typeof Figures>;

export type Comparison = { readonly faults: readonly Fault[]; readonly figures: Figures };

const COUNT = `select
  (select count(*) from balance)::int as accounts,
  (select count(*) from ledger_entry)::int as entries,
  (select count(*) from usage_line)::int as lines,
  (select count(*) from ledger_faults)::int as ledger_faults,
  (select count(*) from usage_faults)::int as rollup_faults`;

const HOLDS = `select
  count(*) filter (where ended and h.state = 'posted')::int as posted,
  count(*) filter (where ended and h.state = 'voided')::int as voided,
  count(*) filter (where ended and h.state = 'expired')::int as expired,
  coalesce(sum(amount) filter (where ended and h.state = 'posted'), 0)::text as authorised,
  (select coalesce(sum(posted), 0)::text from usage_line where at > $1::timestamptz - interval '1 day') as billed,
  count(*) filter (where h.state = 'held' and not is_lease)::int as live,
  floor(extract(epoch from $1::timestamptz - min(created_at) filter (where h.state = 'held' and not is_lease)))::int as oldest,
  count(*) filter (where overdue)::int as overdue
from hold h, lateral (select
  h.lease_id is not distinct from h.request_id as is_lease,
  h.payload is not null and h.lease_id is distinct from h.request_id
    and closed_at > $1::timestamptz - interval '1 day' as ended,
  h.state = 'held' and expires_at < $1::timestamptz - interval '${OVERDUE_MINUTES} minutes' as overdue) facts`;

/**
 * Tenants all of whose gateways of the last hour have reported lately and in full, and their live holds that are in no
 * report. Such a request has nobody who will tell its end. A lease (a hold without terms) is no request.
 */
const REPORTED = `
  reported as (
    select tenant_id, max(dead_letters) as dead_letters from gateway_report
    where at > $1::timestamptz - interval '1 hour' group by tenant_id
    having bool_and(complete and at > $1::timestamptz - interval '${REPORT_MINUTES} minutes')
  ), unknown as (
    select a.tenant_id, h.request_id from hold h join account a on a.id = h.account_id join reported using (tenant_id)
    where h.state = 'held' and h.terms is not null
      and h.created_at < $1::timestamptz - interval '${REPORT_MINUTES} minutes'
      and not exists (select from gateway_report r where r.tenant_id = a.tenant_id and h.request_id = any (r.open)
                      and r.at > $1::timestamptz - interval '1 hour')
  )`;

const GATEWAYS = `with ${REPORTED}
  select (select count(*) from reported)::int as tenants, (select count(*) from unknown)::int as unknown,
    (select coalesce(sum(dead_letters), 0) from reported)::int as dead`;

/** The tenant of each faulty account, in the words of the views. */
const FAULTS = `with ${REPORTED}
  (select 'ledger' as kind, t.name as tenant, f.fault as detail
   from ledger_faults f join account a on a.id = f.account_id join tenant t on t.id = a.tenant_id limit $2)
  union all
  (select 'rollup', t.name, format('the rollups of %s are of %s nano-EUR, their lines of %s', f.day,
     f.total_of_rollups, f.total_of_lines)
   from usage_faults f join account a on a.id = f.account_id join tenant t on t.id = a.tenant_id limit $2)
  union all
  (select 'hold', t.name, format('the hold of request %s should have expired at %s', h.request_id, h.expires_at)
   from hold h join account a on a.id = h.account_id join tenant t on t.id = a.tenant_id
   where h.state = 'held' and h.expires_at < $1::timestamptz - interval '${OVERDUE_MINUTES} minutes' limit $2)
  union all
  (select 'gateway', t.name, format('request %s is held, and no gateway knows of it', u.request_id)
   from unknown u join tenant t on t.id = u.tenant_id limit $2)
  union all
  (select 'gateway', t.name, format('gateways have %s results that were refused for good', r.dead_letters)
   from reported r join tenant t on t.id = r.tenant_id where r.dead_letters > 0 limit $2)`;

/**
 * Compares the ledger with its own replay, rollups with their lines, and the live holds with the clock: all as of one
 * instant, while it goes on being written.
 */
export async function compare(client: pg.ClientBase, now: Date): Promise<Comparison> {
  await client.query('begin isolation level repeatable read read only');
  try {
    await client.query(`set local statement_timeout = ${TIMEOUT_MS}`);
    const counted = (await client.query(COUNT)).rows[0];
    const holds = (await client.query(HOLDS, [now])).rows[0];
    const gateways = (await client.query(GATEWAYS, [now])).rows[0];
    const { rows } = await client.query(FAULTS, [now, MAX_FAULTS]);
    const ended = holds.posted + holds.voided + holds.expired;
    return {
      faults: rows.map((row) => Fault.parse(row)),
      figures: Figures.parse({
        accounts: counted.accounts,
        entries: counted.entries,
        usageLines: counted.lines,
        faults: counted.ledger_faults + counted.rollup_faults + holds.overdue + gateways.unknown + gateways.dead,
        endedPosted: holds.posted,
        endedVoided: holds.voided,
        endedExpired: holds.expired,
        captureRate: ended === 0 ? null : (holds.posted + holds.voided) / ended,
        authorisedNanoEur: holds.authorised,
        postedNanoEur: holds.billed,
        liveHolds: holds.live,
        oldestHoldSeconds: holds.oldest,
        tenantsReported: gateways.tenants,
        unknownToGateways: gateways.unknown,
        deadLetters: gateways.dead,
      }),
    };
  } finally {
    await client.query('rollback');
  }
}
