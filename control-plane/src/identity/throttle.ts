import type pg from 'pg';
import type { Vault } from '../crypto/vault.ts';
import { type Problem, problem } from '../http/problem.ts';
import type { Answer } from '../http/route.ts';
import { networkOf } from './network.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How attempts of one kind are slowed down. The waits double from the first to the longest. */
export type ThrottleRule = {
  readonly name: string;
  /** Attempts until the first wait. */
  readonly free: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Without an attempt for this long, all are free again. */
  readonly forgetMs: number;
};

/**
 * Every rule there is. "account" rules count by mail address or person, whether or not there is such an account;
 * "address" rules by the caller's network address, and allow for an office behind one.
 */
export const THROTTLES = {
  /** Wrong passwords for one account: a guesser gets some 100 a day; the owner waits 15 minutes at most. */
  signInAccount: rule('sign-in.account', 5, SECOND_MS, 15 * MINUTE_MS, 24 * HOUR_MS),
  signInAddress: rule('sign-in.address', 40, SECOND_MS, 15 * MINUTE_MS, HOUR_MS),
  /** Wrong second factors: a code of six digits allows no more guesses than this. */
  secondFactorAccount: rule('second-factor.account', 5, 5 * SECOND_MS, HOUR_MS, 24 * HOUR_MS),
  registrationAddress: rule('registration.address', 20, MINUTE_MS, HOUR_MS, HOUR_MS),
  /** Requests that make us send a mail, of any kind and to whomever. */
  mailRequestAddress: rule('mail-request.address', 20, MINUTE_MS, HOUR_MS, HOUR_MS),
  /** Mails that strangers may cause to one address: five, then one an hour. */
  mailRecipient: rule('mail.recipient', 5, HOUR_MS, HOUR_MS, HOUR_MS),
  /** Tokens of mails: nobody guesses 256 bits, but nobody needs a hundred tries either. */
  tokenAddress: rule('token.address', 40, SECOND_MS, 15 * MINUTE_MS, HOUR_MS),
} as const satisfies Record<string, ThrottleRule>;

export type Attempt = { readonly rule: ThrottleRule; readonly subject: string };

/**
 * Counts attempts in Postgres, for all replicas together. Subjects are stored as keyed hashes only, and IPv6 addresses
 * count by their network: whoever has one has 2^64 of them.
 */
export class Throttle {
  readonly #pool: pg.Pool;
  readonly #vault: Vault;

  constructor(pool: pg.Pool, vault: Vault) {
    this.#pool = pool;
    this.#vault = vault;
  }

  /**
   * Counts the attempts before they are made, so that parallel ones cannot outrun the count. The first that has to
   * wait ends it, and those after it are not counted.
   * @returns milliseconds to wait; 0: go on
   */
  async attempt(...attempts: readonly Attempt[]): Promise<number> {
    for (const { rule, subject } of attempts) {
      const { rows } = await this.#pool.query<{ wait: bigint }>({
        name: 'throttle_attempt',
        text: 'select throttle_attempt($1, $2, $3, $4, $5, $6) as wait',
        values: [rule.name, this.#hash(subject), rule.free, rule.firstWaitMs, rule.longestWaitMs, rule.forgetMs],
      });
      const waitMs = Number(rows[0]?.wait ?? 0);
      if (waitMs > 0) return waitMs;
    }
    return 0;
  }

  /** It was the owner: the account's count begins anew. */
  async forget({ rule, subject }: Attempt): Promise<void> {
    const text = 'delete from throttle where rule = $1 and subject = $2';
    await this.#pool.query(text, [rule.name, this.#hash(subject)]);
  }

  /** This attempt was a good one: it does not count. For network addresses, where forgetting all would help a guesser. */
  async refund({ rule, subject }: Attempt): Promise<void> {
    const text = 'update throttle set attempts = greatest(attempts - 1, 0) where rule = $1 and subject = $2';
    await this.#pool.query(text, [rule.name, this.#hash(subject)]);
  }

  #hash(subject: string): Buffer {
    return this.#vault.mac('throttle', networkOf(subject).toLowerCase());
  }
}

/** The 429 of someone who has to wait. */
export function tooManyAttempts(waitMs: number): Answer & { readonly body: Problem } {
  const retryAfterSeconds = Math.ceil(waitMs / SECOND_MS);
  const detail = `too many attempts; try again in ${retryAfterSeconds} seconds`;
  return {
    status: 429,
    body: problem(429, 'too_many_attempts', detail, { retryAfterSeconds }),
    headers: { 'retry-after': String(retryAfterSeconds) },
  };
}

function rule(name: string, free: number, firstWaitMs: number, longestWaitMs: number, forgetMs: number): ThrottleRule {
  return { name, free, firstWaitMs, longestWaitMs, forgetMs };
}
