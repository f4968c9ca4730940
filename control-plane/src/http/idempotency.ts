import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Vault } from '../crypto/vault.ts';
import { every } from '../every.ts';
import type { Principal } from './auth.ts';
import { HttpProblem, problem } from './problem.ts';
import type { Answer, Call } from './route.ts';
import { isStream } from './stream.ts';

/** Hours an answer is kept for repetitions. */
const KEPT_HOURS = 24;
/** Milliseconds after which a first try whose process has died no longer stands in the way. */
export const LEASE_MS = 10_000;
/** Milliseconds between two renewals while a try is under way. */
const RENEW_MS = 3_000;
/** Bytes of an answer that is kept. */
const MAX_ANSWER_BYTES = 256 * 1024;
const PURPOSE = 'idempotency';

export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

const Claimed = z.object({
  outcome: z.enum(['claimed', 'done', 'in_progress', 'reused']),
  status: z.int().nullable(),
  answer: z.instanceof(Buffer).nullable(),
});
const Kept = z.object({
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  cookies: z.array(z.string()).optional(),
});

/** What is to happen once: whose wish, which operation, under which key, and what exactly was asked. */
export type Wish = {
  readonly caller: string;
  readonly route: string;
  readonly key: string;
  readonly payload: Buffer;
};

export type OnceDeps = { readonly pool: pg.Pool; readonly vault: Vault; readonly log: Logger };

/** The name under which a caller's keys are kept; undefined: repetitions of anonymous callers are not known as such. */
export function callerName(principal: Principal): string | undefined {
  if (principal.kind === 'person') return `person:${principal.person.id}`;
  if (principal.kind === 'key' || principal.kind === 'service') return `${principal.kind}:${principal.keyId}`;
  if (principal.kind === 'admin' || principal.kind === 'operator') return principal.kind;
  return undefined;
}

/** The same for equal requests, in whatever order their fields came: they were parsed by one schema. */
export function wishHash({
  params,
  query,
  body,
  upload,
}: Pick<Call<unknown, unknown, unknown>, 'params' | 'query' | 'body' | 'upload'>): Buffer {
  const hash = createHash('sha256').update(JSON.stringify([params, query, body ?? null, upload?.type ?? null]));
  if (upload !== undefined) hash.update(upload.content);
  return hash.digest();
}

/**
 * Carries `work` out once for each key: a repetition gets the answer of the first try. Refusals are not kept, for they
 * changed nothing: a repetition is decided anew. When the process dies between an effect and the record of it, the
 * repetition is carried out again after the lease; what may not happen twice even then has its key in its own transaction.
 */
export async function once(deps: OnceDeps, wish: Wish, work: () => Promise<Answer>): Promise<Answer> {
  const token = randomUUID();
  const claimed = await claim(deps, wish, token);
  if (claimed.outcome === 'reused') return refusal(422, 'idempotency_key_reused', REUSED);
  if (claimed.outcome === 'in_progress') return refusal(409, 'idempotency_in_progress', IN_PROGRESS);
  if (claimed.outcome === 'done') return replay(deps.vault, wish, claimed);
  const stopRenewing = every(
    RENEW_MS,
    () => renew(deps, wish, token),
    (err) => deps.log.warn({ err }, 'a lease was not renewed'),
  );
  let answer: Answer | undefined;
  try {
    answer = await work();
    return answer;
  } finally {
    await stopRenewing();
    await end(deps, wish, token, answer).catch((err: unknown) => {
      deps.log.warn({ err, route: wish.route }, 'an answer was not kept for repetitions');
    });
  }
}

const REUSED = 'this Idempotency-Key was used for another request; take a fresh one for each thing you want done';
const IN_PROGRESS = 'the first request with this Idempotency-Key is still under way; send it again in a second';

function refusal(status: number, code: string, detail: string): Answer {
  return {
    status,
    body: problem(status, code, detail),
    ...(status === 409 ? { headers: { 'retry-after': '1' } } : {}),
  };
}

/** @throws HttpProblem 400 for a key that is none */
export function checkIdempotencyKey(key: string): string {
  if (IDEMPOTENCY_KEY.test(key)) return key;
  const detail = 'an Idempotency-Key has 1 to 200 printable characters without spaces';
  throw new HttpProblem(400, 'idempotency_key_malformed', detail, {
    errors: [{ path: 'headers.Idempotency-Key', message: 'is malformed' }],
  });
}

async function claim({ pool }: OnceDeps, wish: Wish, token: string): Promise<z.output<typeof Claimed>> {
  const { rows } = await pool.query({
    name: 'idempotency_claim',
    text: `select * from idempotency_claim($1, $2, $3, $4, $5, $6 * interval '1 millisecond', $7 * interval '1 hour')`,
    values: [wish.caller, wish.route, wish.key, wish.payload, token, LEASE_MS, KEPT_HOURS],
  });
  return Claimed.parse(rows[0]);
}

function replay(vault: Vault, wish: Wish, { status, answer }: z.output<typeof Claimed>): Answer {
  if (status === null || answer === null) throw new Error(`the kept answer of ${wish.route} is incomplete`);
  const { body, headers, cookies } = Kept.parse(JSON.parse(vault.open(PURPOSE, answer, contextOf(wish))));
  return {
    status,
    headers: { ...headers, 'idempotency-replayed': 'true' },
    ...(body === undefined ? {} : { body }),
    ...(cookies === undefined ? {} : { cookies }),
  };
}

async function renew({ pool }: OnceDeps, wish: Wish, token: string): Promise<void> {
  await pool.query(
    `update idempotency set leased_until = clock_timestamp() + $5 * interval '1 millisecond'
     where caller = $1 and route = $2 and key = $3 and token = $4 and status is null`,
    [wish.caller, wish.route, wish.key, token, LEASE_MS],
  );
}

/** Keeps a success; forgets everything else. */
async function end({ pool, vault, log }: OnceDeps, wish: Wish, token: string, answer?: Answer): Promise<void> {
  const mine = [wish.caller, wish.route, wish.key, token];
  if (answer !== undefined && answer.status < 300 && !isStream(answer.body)) {
    const { body, headers, cookies } = answer;
    const sealed = vault.seal(PURPOSE, JSON.stringify({ body, headers, cookies }), contextOf(wish));
    if (sealed.length <= MAX_ANSWER_BYTES) {
      await pool.query(
        'update idempotency set status = $5, answer = $6 where caller = $1 and route = $2 and key = $3 and token = $4',
        [...mine, answer.status, sealed],
      );
      return;
    }
    log.error({ route: wish.route, bytes: sealed.length }, 'an answer is too large to be kept for repetitions');
  }
  await pool.query('delete from idempotency where caller = $1 and route = $2 and key = $3 and token = $4', mine);
}

/** Ties a kept answer to its row: copied to another one it does not open. */
function contextOf({ caller, route, key }: Wish): string {
  return JSON.stringify([caller, route, key]);
}
