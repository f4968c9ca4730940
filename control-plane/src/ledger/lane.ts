import type pg from 'pg';
import { type Operation, RESULT_FIELDS, type Result } from './operations.ts';
import { termsJson } from './terms.ts';

/** Operations of one statement. Larger ones save little more, and keep their accounts locked for longer. */
const MAX_BATCH = 128;
/** Operations that may wait. Beyond that the database is hopelessly behind, and callers are told to come back. */
const MAX_WAITING = 20_000;

/** SQLSTATE classes (and node's codes) that are about the database, not about an operation: all of a batch failed. */
const DATABASE_FAULT = /^(E[A-Z]+|08...|25...|53...|57...|58...|XX...)$/;
/** Insufficient resources: answered as 503 with Retry-After. */
const TOO_MANY_WAITING = '53000';

const APPLY = `select i, ${RESULT_FIELDS.map((field) => `(r).${field}`).join(', ')} from ledger_apply($1, $2, $3)`;

type Waiting = {
  readonly account: bigint;
  readonly key: string;
  readonly json: string;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * One statement at a time: what arrives while it is under way is the next one. So the busier it gets, the more
 * operations share a round trip and a commit, and nobody waits for a batch to fill. An account always uses the same
 * lane, so its operations never wait for each other's locks in the database.
 */
export class Lane {
  readonly #pool: pg.Pool;
  readonly #now: (() => Date) | undefined;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(pool: pg.Pool, now: (() => Date) | undefined) {
    this.#pool = pool;
    this.#now = now;
  }

  /** The operation's result, once it is durable. */
  submit(operation: Operation): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= MAX_WAITING) {
        reject(Object.assign(new Error('too many operations wait for the ledger'), { code: TOO_MANY_WAITING }));
        return;
      }
      const { account, request } = operation;
      this.#waiting.push({ account, key: `${account}/${request}`, json: termsJson(operation), resolve, reject });
      if (this.#running) return;
      this.#running = true;
      // After everything that this turn of the event loop brings.
      setImmediate(() => this.#run());
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#apply(this.#next());
    this.#running = false;
  }

  /** The oldest operations, each request at most once: the second one on it needs what the first one left. */
  #next(): Waiting[] {
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    const requests = new Set<string>();
    for (const [index, waiting] of this.#waiting.entries()) {
      if (batch.length === MAX_BATCH) {
        this.#waiting = later.concat(this.#waiting.slice(index));
        return batch;
      }
      if (requests.has(waiting.key)) {
        later.push(waiting);
      } else {
        requests.add(waiting.key);
        batch.push(waiting);
      }
    }
    this.#waiting = later;
    return batch;
  }

  async #apply(batch: readonly Waiting[]): Promise<void> {
    try {
      const operations = batch.map(({ json }, index) => `{"i":${index},${json.slice(1)}`);
      const accounts = [...new Set(batch.map(({ account }) => account))];
      const { rows } = await this.#pool.query<Result & { i: number }>({
        name: 'ledger_apply',
        text: APPLY,
        values: [`[${operations.join(',')}]`, accounts, this.#now?.() ?? null],
      });
      for (const row of rows) batch[row.i]?.resolve(row);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (batch.length > 1 && typeof code === 'string' && !DATABASE_FAULT.test(code)) {
        // One of them is at fault, and nothing was booked: the others shall not suffer for it.
        for (const waiting of batch) await this.#apply([waiting]);
        return;
      }
      for (const { reject } of batch) reject(error);
    }
  }
}
