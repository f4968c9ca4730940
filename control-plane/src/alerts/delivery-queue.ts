import type pg from 'pg';
import { z } from 'zod';
import { TenantRegistration } from '../catalogue/registrations.ts';

/** Attempts until a delivery is given up: with the pauses below, after about a day. */
export const MAX_ATTEMPTS = 12;
/** Milliseconds before the first repetition; each further pause is three times as long, up to the longest. */
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 6 * 3_600_000;
/** Seconds after which a delivery that was taken and never ended is anyone's again: longer than any attempt lasts. */
const TAKEN_SECONDS = 60;
const MAX_ERROR_LENGTH = 300;

/** A delivery that was taken, with all that is needed to make it. */
export type Delivery = z.output<typeof Row>;

const Row = z
  .object({
    id: z.uuid(),
    attempt: z.int(),
    channel: z.enum(['mail', 'webhook']),
    recipient: z.string(),
    alert_id: z.uuid(),
    at: z.date(),
    period: z.string(),
    threshold_percent: z.int(),
    spent: z.bigint(),
    budget: z.bigint(),
    scope: z.enum(['tenant', 'user', 'key']),
    subject_id: z.uuid().nullable(),
    subject_name: z.string().nullable(),
    tenant: z.string(),
    registration: TenantRegistration,
    url: z.string().nullable(),
    secret: z.instanceof(Buffer).nullable(),
  })
  .transform(({ alert_id, threshold_percent, subject_id, subject_name, ...row }) => ({
    ...row,
    alertId: alert_id,
    thresholdPercent: threshold_percent,
    subjectId: subject_id,
    subjectName: subject_name ?? undefined,
  }));

/** Thrown for what no repetition can mend. */
export class Undeliverable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Undeliverable';
  }
}

/** The table of deliveries as a queue. Takes are exclusive and run out, so a crash loses nothing and blocks nothing. */
export class DeliveryQueue {
  readonly #pool: pg.Pool;
  readonly #firstPauseMs: number;

  constructor(pool: pg.Pool, firstPauseMs: number = FIRST_PAUSE_MS) {
    this.#pool = pool;
    this.#firstPauseMs = firstPauseMs;
  }

  async take(): Promise<Delivery | undefined> {
    const { rows } = await this.#pool.query({
      name: 'take_delivery',
      text: `with taken as (
          update delivery set attempts = attempts + 1,
            taken_until = clock_timestamp() + $1 * interval '1 second',
            next_attempt_at = clock_timestamp() + $1 * interval '1 second'
          where id = (
            select id from delivery due where state = 'pending' and next_attempt_at <= clock_timestamp()
              and not exists (select 1 from delivery other where other.tenant_id = due.tenant_id
                and other.channel = due.channel and other.state = 'pending' and other.id <> due.id
                and other.taken_until > clock_timestamp())
            order by next_attempt_at limit 1 for update skip locked)
          returning *)
        select d.id, d.attempts as attempt, d.channel, d.recipient, d.alert_id, a.at, a.period, a.threshold_percent,
          a.spent, a.budget, a.scope, a.subject_id, coalesce(m.name, m.email, m.external_id, k.name) as subject_name,
          t.name as tenant, t.registration, w.url, w.secret
        from taken d join alert a on a.id = d.alert_id join tenant t on t.id = d.tenant_id left join webhook w on w.tenant_id = d.tenant_id
          left join member m on a.scope = 'user' and m.id = a.subject_id
          left join api_key k on a.scope = 'key' and k.id = a.subject_id`,
      values: [TAKEN_SECONDS],
    });
    return rows[0] === undefined ? undefined : Row.parse(rows[0]);
  }

  async delivered({ id }: Delivery): Promise<void> {
    // Also when another process has taken it meanwhile: it has arrived.
    await this.#pool.query(
      `update delivery set state = 'delivered', ended_at = clock_timestamp(), taken_until = null, last_error = null
       where id = $1 and state = 'pending'`,
      [id],
    );
  }

  /** @returns whether it will be tried again or is given up */
  async failed({ id, attempt }: Delivery, error: unknown): Promise<'pending' | 'failed'> {
    const final = attempt >= MAX_ATTEMPTS || error instanceof Undeliverable;
    const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_LENGTH);
    await this.#pool.query(
      `update delivery set last_error = $3, taken_until = null,
         next_attempt_at = clock_timestamp() + $4 * interval '1 millisecond',
         state = case when $5 then 'failed' else state end,
         ended_at = case when $5 then clock_timestamp() end
       where id = $1 and attempts = $2 and state = 'pending'`,
      [id, attempt, message, pauseMs(attempt, this.#firstPauseMs), final],
    );
    return final ? 'failed' : 'pending';
  }
}

/** Milliseconds until the next attempt, spread by a tenth so that many do not come at once. */
export function pauseMs(attempt: number, firstPauseMs: number = FIRST_PAUSE_MS, random = Math.random): number {
  const pause = Math.min(firstPauseMs * 3 ** (attempt - 1), LONGEST_PAUSE_MS);
  return Math.round(pause * (0.9 + 0.2 * random()));
}
