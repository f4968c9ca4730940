import type pg from 'pg';
import { inTransaction } from '../database/pool.ts';
import { entityTag, isSame } from './entity-tag.ts';
import { HttpProblem } from './problem.ts';
import type { Answer } from './route.ts';

/** Conditional writes one process has under way; each holds a database connection for its turn, and others need some too. */
const MAX_AT_ONCE = 4;

export type Preconditions = { readonly ifMatch: string | undefined; readonly ifNoneMatch: string | undefined };

/** The conditions of a write; undefined: it has none. */
export function preconditionsOf(
  method: string,
  headers: { readonly 'if-match'?: string | undefined; readonly 'if-none-match'?: string | undefined },
): Preconditions | undefined {
  if (!['PUT', 'PATCH', 'DELETE'].includes(method)) return undefined;
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return ifMatch === undefined && ifNoneMatch === undefined ? undefined : { ifMatch, ifNoneMatch };
}

/**
 * Carries conditional writes out in turn for each address, so that of several who have seen the same representation one
 * writes and the others are told. A write without a condition does not queue: it may still come between the comparison
 * and the write, as if it had come just before the caller looked.
 */
export class ConditionalWrites {
  readonly #pool: pg.Pool;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /**
   * @param address what is written to
   * @param read the answer that a GET of the address gives now
   * @throws HttpProblem 412 when it is not what the caller expects
   */
  async perform(
    address: string,
    conditions: Preconditions,
    read: () => Promise<Answer>,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    await this.#turn();
    try {
      return await inTransaction(this.#pool, async (client) => {
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`address/${address}`]);
        judge(conditions, await read());
        return work();
      });
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    while (this.#underWay >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay += 1;
  }
}

function judge({ ifMatch, ifNoneMatch }: Preconditions, answer: Answer): void {
  const exists = answer.status === 200;
  if (ifMatch !== undefined && !(exists && isSame(ifMatch, entityTag(JSON.stringify(answer.body))))) {
    throw failed('it has changed since you read it; get it again and repeat your change');
  }
  if (ifNoneMatch?.trim() === '*' && exists) throw failed('it exists already; without If-None-Match it is changed');
}

function failed(detail: string): HttpProblem {
  return new HttpProblem(412, 'precondition_failed', detail);
}
