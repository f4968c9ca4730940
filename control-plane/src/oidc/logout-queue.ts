import type pg from 'pg';
import { z } from 'zod';
import { TenantRegistration } from '../catalogue/registrations.ts';

/** Milliseconds before the first repetition; each further pause is twice as long, up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** Hours after which a chat is not told any more: its own sign-ins have ended by then (eight hours, see the operator). */
export const GIVE_UP_HOURS = 24;
/** Seconds after which a message that was taken and never ended is anyone's again: longer than any attempt lasts. */
const TAKEN_SECONDS = 30;
/** Days an ended message is kept, for who looks into what happened. */
const KEEP_DAYS = 7;
const MAX_ERROR_LENGTH = 300;

const Row = z
  .object({
    id: z.uuid(),
    attempt: z.int(),
    person_id: z.uuid(),
    sid: z.string().nullable(),
    tenant: z.string(),
    registration: TenantRegistration,
  })
  .transform(({ id, attempt, person_id, sid, tenant, registration }) => ({
    id,
    attempt,
    personId: person_id,
    sid,
    tenant,
    /** Null: the tenant has no chat that could be told. */
    url: registration.oidc?.backchannelLogoutUrl ?? null,
  }));

/** A message for a chat that somebody has signed out. */
export type Logout = z.output<typeof Row>;

/** The table of these messages as a queue. Takes are exclusive and run out, so a crash loses nothing and blocks nothing. */
export class LogoutQueue {
  readonly #pool: pg.Pool;
  readonly #firstPauseMs: number;

  constructor(pool: pg.Pool, firstPauseMs: number = FIRST_PAUSE_MS) {
    this.#pool = pool;
    this.#firstPauseMs = firstPauseMs;
  }

  async take(): Promise<Logout | undefined> {
    const { rows } = await this.#pool.query({
      name: 'take_logout',
      text: `with taken as (
          update oidc_logout set attempts = attempts + 1,
            next_attempt_at = clock_timestamp() + $1 * interval '1 second'
          where id = (
            select id from oidc_logout where state = 'pending' and next_attempt_at <= clock_timestamp()
            order by next_attempt_at limit 1 for update skip locked)
          returning *)
        select l.id, l.attempts as attempt, l.person_id, l.sid, t.name as tenant, t.registration
        from taken l join tenant t on t.id = l.tenant_id`,
      values: [TAKEN_SECONDS],
    });
    return rows[0] === undefined ? undefined : Row.parse(rows[0]);
  }

  async ended({ id }: Logout, state: 'heard' | 'given_up'): Promise<void> {
    await this.#pool.query(
      `update oidc_logout set state = $2, ended_at = clock_timestamp() where id = $1 and state = 'pending'`,
      [id, state],
    );
  }

  /**
   * The chat did not hear it: another time, unless nothing is left that it could end.
   * @returns whether it will be told again
   */
  async failed({ id, attempt }: Logout, error: unknown): Promise<'retry' | 'given_up'> {
    const pauseMs = Math.min(this.#firstPauseMs * 2 ** Math.min(attempt - 1, 20), LONGEST_PAUSE_MS);
    const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_LENGTH);
    const { rows } = await this.#pool.query<{ state: string }>(
      `update oidc_logout set last_error = $2, next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond',
         state = case when old then 'given_up' else 'pending' end, ended_at = case when old then clock_timestamp() end
       from (select created_at < clock_timestamp() - make_interval(hours => $4) as old from oidc_logout where id = $1) age
       where id = $1 and state = 'pending' returning state`,
      [id, message, pauseMs, GIVE_UP_HOURS],
    );
    return rows[0]?.state === 'given_up' ? 'given_up' : 'retry';
  }

  /** Forgets what ended long ago. */
  async prune(): Promise<void> {
    await this.#pool.query(
      `delete from oidc_logout where state <> 'pending' and ended_at < clock_timestamp() - make_interval(days => $1)`,
      [KEEP_DAYS],
    );
  }
}
