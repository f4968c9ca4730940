import type pg from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Bucket, QUOTAS, type QuotaName, type Quotas, WINDOW_SECONDS } from './quotas.ts';

/** Of a quota, the most that one process takes out at once: a twentieth is the most it can leave unused. */
const LARGEST_SHARE = 20;
/** Buckets one process remembers. One that is forgotten costs a statement, and is counted all the same. */
const MAX_BUCKETS = 10_000;
/** Milliseconds for which a process goes on by itself when the database does not answer. */
const ALONE_MS = 1_000;

const Taken = z.object({ got: z.int(), remaining: z.int(), seconds_left: z.number() });

/** What this process has of a bucket in the present window. */
type Local = {
  /** Calls taken out of the database's count and not made yet. */
  tokens: number;
  /** What the database had left when it was last asked. */
  remaining: number;
  /** How much is asked for next: as much again as was used, so that who calls once takes one. */
  share: number;
  /** By performance.now(). */
  endsAt: number;
  asking: Promise<void> | undefined;
};

export type Verdict = {
  readonly allowed: boolean;
  /** Of the refusing bucket; 0 when allowed. */
  readonly retryAfterSeconds: number;
  /** The quota that refused. */
  readonly quota: QuotaName | undefined;
  /** RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers). */
  readonly headers: Record<string, string>;
};

/**
 * Counts calls in windows that all replicas share. Calls are taken out of a row in the database in growing handfuls and
 * spent here, so most calls ask nobody, and never are more made than the quota says, however many processes there are.
 * The price: what one process has taken and does not use, at most a twentieth, another cannot.
 */
export class RateLimits {
  readonly #pool: pg.Pool;
  readonly #log: Logger;
  readonly #quotas: Quotas;
  readonly #locals = new Map<string, Local>();

  constructor(pool: pg.Pool, log: Logger, quotas: Partial<Quotas> = {}) {
    this.#pool = pool;
    this.#log = log;
    this.#quotas = { ...QUOTAS, ...quotas };
  }

  /** Counts one call in each of the buckets, and says whether it may be made. */
  async take(buckets: readonly Bucket[]): Promise<Verdict> {
    const policies: string[] = [];
    const states: string[] = [];
    for (const bucket of buckets) {
      const { local, allowed } = await this.#takeOne(bucket);
      const seconds = Math.max(1, Math.ceil((local.endsAt - performance.now()) / 1000));
      policies.push(`"${bucket.quota}";q=${this.#quotas[bucket.quota]};w=${WINDOW_SECONDS}`);
      states.push(`"${bucket.quota}";r=${local.tokens + local.remaining};t=${seconds}`);
      if (!allowed) {
        return { allowed, retryAfterSeconds: seconds, quota: bucket.quota, headers: headersOf(policies, states) };
      }
    }
    return { allowed: true, retryAfterSeconds: 0, quota: undefined, headers: headersOf(policies, states) };
  }

  async #takeOne(bucket: Bucket): Promise<{ local: Local; allowed: boolean }> {
    const name = `${bucket.quota}:${bucket.id}`;
    for (;;) {
      const local = this.#present(name);
      if (local.tokens > 0) {
        local.tokens -= 1;
        return { local, allowed: true };
      }
      // Nothing was left for us: in this window there is no more to be had, and nobody is asked again.
      if (local.share === 0) return { local, allowed: false };
      local.asking ??= this.#ask(name, this.#quotas[bucket.quota], local);
      await local.asking;
    }
  }

  /** What is known of a bucket, begun anew with each window. */
  #present(name: string): Local {
    const known = this.#locals.get(name);
    if (known !== undefined && (known.asking !== undefined || performance.now() < known.endsAt)) return known;
    const fresh: Local = { tokens: 0, remaining: 0, share: 1, endsAt: performance.now() + ALONE_MS, asking: undefined };
    this.#locals.delete(name);
    if (this.#locals.size >= MAX_BUCKETS) this.#locals.delete(this.#locals.keys().next().value ?? '');
    this.#locals.set(name, fresh);
    return fresh;
  }

  async #ask(name: string, quota: number, local: Local): Promise<void> {
    // Before the question, so that our window never lasts longer than the database's.
    const asked = performance.now();
    try {
      const { rows } = await this.#pool.query({
        name: 'rate_take',
        text: 'select * from rate_take($1, $2, $3, $4)',
        values: [name, quota, WINDOW_SECONDS, local.share],
      });
      const { got, remaining, seconds_left } = Taken.parse(rows[0]);
      local.tokens = got;
      local.remaining = remaining;
      local.share = got === 0 ? 0 : Math.min(local.share * 2, Math.max(1, Math.floor(quota / LARGEST_SHARE)));
      local.endsAt = asked + seconds_left * 1000;
    } catch (err) {
      // No limit is a reason to answer nobody. Whatever needs the database is answered with 503 by itself.
      this.#log.warn({ err }, 'calls are counted by this process alone: the database did not answer');
      local.tokens = quota;
      local.remaining = 0;
      local.endsAt = asked + ALONE_MS;
    } finally {
      local.asking = undefined;
    }
  }
}

function headersOf(policies: readonly string[], states: readonly string[]): Record<string, string> {
  if (policies.length === 0) return {};
  return { 'ratelimit-policy': policies.join(', '), ratelimit: states.join(', ') };
}
