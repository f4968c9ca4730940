import pg from 'pg';

/** Connections one process opens. Postgres' own default allows 100 in all; replicas and migrations need some too. */
export const MAX_CONNECTIONS = 16;
/** Milliseconds to wait for a free connection before a request is answered with 503. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Milliseconds a statement may take. The hot ones take one; this ends what hangs. */
const STATEMENT_TIMEOUT_MS = 15_000;

const INT8_OID = 20;

/** int8 is money here: bigint, never a float. Given per pool, so that no other user of `pg` in the process is touched. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format as 'text')) as never,
};

export type PoolOptions = {
  /** postgres://… */
  readonly url: string;
  readonly maxConnections?: number;
  readonly onError: (error: Error) => void;
};

/** A pool whose lost idle connections are reported and replaced, not thrown. */
export function openPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections ?? MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'cloudfreedom-control-plane',
    types,
  });
  pool.on('error', options.onError);
  return pool;
}

/** Runs `work` in one transaction; rolls back and rethrows when it throws. */
export async function inTransaction<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
