import type pg from 'pg';
import { z } from 'zod';
import { MAX_ATTEMPTS, pauseMs, Undeliverable } from '../alerts/delivery-queue.ts';

/** Seconds after which a mail that was taken and never ended is anyone's again: longer than any attempt lasts. */
const TAKEN_SECONDS = 60;
const MAX_ERROR_LENGTH = 300;

const Row = z.object({ id: z.uuid(), attempt: z.int(), sealed: z.instanceof(Buffer), expired: z.boolean() });
/** A mail that was taken. */
export type TakenMail = z.output<typeof Row>;

/** The table of mails as a queue. Takes are exclusive and run out, so a crash loses nothing and blocks nothing. */
export class MailQueue {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async take(): Promise<TakenMail | undefined> {
    const { rows } = await this.#pool.query({
      name: 'take_mail',
      text: `update mail set attempts = attempts + 1,
          taken_until = clock_timestamp() + $1 * interval '1 second',
          next_attempt_at = clock_timestamp() + $1 * interval '1 second'
        where id = (select id from mail where state = 'pending' and next_attempt_at <= clock_timestamp()
          order by next_attempt_at limit 1 for update skip locked)
        returning id, attempts as attempt, sealed, expires_at <= clock_timestamp() as expired`,
      values: [TAKEN_SECONDS],
    });
    return rows[0] === undefined ? undefined : Row.parse(rows[0]);
  }

  /** sent: it has left. dropped: nobody was to get one. Either way its content is gone from here. */
  async ended({ id }: TakenMail, state: 'sent' | 'dropped'): Promise<void> {
    await this.#pool.query(
      `update mail set state = $2, ended_at = clock_timestamp(), sealed = null, taken_until = null, last_error = null
       where id = $1 and state = 'pending'`,
      [id, state],
    );
  }

  /** @returns whether it will be tried again or is given up */
  async failed({ id, attempt }: TakenMail, error: unknown): Promise<'pending' | 'failed'> {
    const final = attempt >= MAX_ATTEMPTS || error instanceof Undeliverable;
    const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_LENGTH);
    await this.#pool.query(
      `update mail set last_error = $3, taken_until = null,
         next_attempt_at = clock_timestamp() + $4 * interval '1 millisecond',
         state = case when $5 then 'failed' else state end,
         sealed = case when $5 then null else sealed end,
         ended_at = case when $5 then clock_timestamp() end
       where id = $1 and attempts = $2 and state = 'pending'`,
      [id, attempt, message, pauseMs(attempt), final],
    );
    return final ? 'failed' : 'pending';
  }
}
