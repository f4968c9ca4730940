import type pg from 'pg';
import type { DatabaseFault } from './scenario.ts';

/** What the driver throws when the server goes away under a statement. */
class ConnectionLost extends Error {}

/**
 * The pool of one replica, in front of a real one: breaks the statement it is told to. A statement outside of a
 * transaction is one, so it is either never run, or run and its answer lost. In a transaction everything before is
 * undone, unless it was the commit whose answer was lost.
 */
export class FaultyDatabase {
  readonly #pool: pg.Pool;
  #fault: DatabaseFault | undefined;
  #statement = 0;
  /** Since `arm`, in their order: the names of the statements that were run to their end, and `lost` for the others. */
  readonly ran: string[] = [];

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** What the control plane takes it for: it uses these two methods of a pool, and no others. */
  get pool(): pg.Pool {
    const face = { query: this.#query, connect: this.#connect };
    return face as unknown as pg.Pool;
  }

  /** For the operation that comes next. */
  arm(fault: DatabaseFault | undefined): void {
    this.#fault = fault;
    this.#statement = 0;
    this.ran.length = 0;
  }

  /** The result of work; undefined when its connection was lost. */
  async unlessLost<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ConnectionLost) return undefined;
      throw error;
    }
  }

  #due(): DatabaseFault['kind'] | undefined {
    const due = this.#fault?.statement === this.#statement ? this.#fault.kind : undefined;
    this.#statement += 1;
    return due;
  }

  readonly #query = async (config: pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> => {
    const due = this.#due();
    if (due === 'transaction_lost') {
      this.ran.push('lost');
      throw new ConnectionLost('lost before the statement');
    }
    const result = await this.#pool.query(config, values);
    this.ran.push(config.name ?? 'unnamed');
    if (due === 'reply_lost') throw new ConnectionLost('lost after the statement');
    return result;
  };

  readonly #connect = async (): Promise<pg.PoolClient> => {
    const client = await this.#pool.connect();
    let broken = false;
    const query = async (config: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> => {
      if (broken) throw new ConnectionLost('lost earlier');
      const due = this.#due();
      const commits = config === 'commit' && due !== 'transaction_lost';
      if (due === undefined || commits) {
        const result = await client.query(config as pg.QueryConfig, values);
        this.ran.push(commits ? 'commit' : 'unnamed');
        if (due === undefined) return result;
      } else {
        await client.query('rollback');
      }
      broken = true;
      throw new ConnectionLost('lost in a transaction');
    };
    return { query, release: () => client.release() } as unknown as pg.PoolClient;
  };
}
