/**
 * `make ledger-replay`: recomputes every balance from the lines of the ledger alone and compares it with what is stored.
 * Needs DATABASE_URL, or DATA_DIR for the embedded Postgres of a control plane that is not running. It only reads.
 * Ends with 1, and says what differs, when anything does.
 */
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../database/embedded-postgres.ts';
import { openPool } from '../database/pool.ts';

/** Faults that are printed; the first ones lead to the rest. */
const MAX_SHOWN = 100;
/** A whole history takes longer than any statement of a request may. */
const REPLAY_TIMEOUT = '1h';

const { DATABASE_URL: databaseUrl, DATA_DIR: dataFolder } = process.env;
if (!databaseUrl && !dataFolder) {
  console.error('set DATABASE_URL, or DATA_DIR for the data folder of a control plane that is not running');
  process.exit(2);
}
const embedded = databaseUrl
  ? undefined
  : await startEmbeddedPostgres({ folder: join(dataFolder ?? '', 'postgres'), onLog: () => {} });
const pool = openPool({ url: databaseUrl || (embedded?.url ?? ''), maxConnections: 1, onError: () => {} });
try {
  const client = await pool.connect();
  // One snapshot for all: a ledger that is in use is compared with itself at one instant.
  await client.query('begin isolation level repeatable read read only');
  await client.query(`set local statement_timeout = '${REPLAY_TIMEOUT}'`);
  const { rows: faults } = await client.query<{ account_id: bigint; fault: string }>(
    'select account_id, fault from ledger_faults limit $1',
    [MAX_SHOWN],
  );
  const { rows } = await client.query<{ accounts: bigint; entries: bigint; requests: bigint }>(
    `select (select count(*) from balance) as accounts, (select count(*) from ledger_entry) as entries,
       (select count(*) from hold) as requests`,
  );
  await client.query('commit');
  client.release();
  for (const { account_id, fault } of faults) console.error(`account ${account_id}: ${fault}`);
  const counted = `${rows[0]?.accounts} accounts, ${rows[0]?.entries} lines, ${rows[0]?.requests} requests`;
  console.log(faults.length === 0 ? `${counted}: every balance follows from its lines` : `${counted}: faults found`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await pool.end();
  await embedded?.stop();
}
