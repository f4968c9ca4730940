/**
 * `make audit-verify`: proves every chain of the audit from its entries alone. Needs DATABASE_URL, or DATA_DIR for the
 * embedded Postgres of a control plane that is not running. It only reads. Prints each chain's last hash: kept
 * elsewhere, it proves later that nothing was cut off. Ends with 1, and names the entries, when anything is wrong.
 */
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../database/embedded-postgres.ts';
import { openPool } from '../database/pool.ts';
import { faultText } from './fault-text.ts';
import { allChains, verifyChain } from './verify.ts';

/** Faults that are printed of a chain; the first ones lead to the rest. */
const MAX_SHOWN = 100;

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
  const { rows } = await pool.query<{ id: bigint; name: string }>('select id, name from tenant');
  const names = new Map(rows.map(({ id, name }) => [id, `tenant ${name} (${id})`]));
  let faulty = 0;
  for (const chain of await allChains(pool)) {
    const { entries, prunedThrough, head, erasedValues, faults } = await verifyChain(pool, chain);
    const name = chain === 0n ? 'platform' : (names.get(chain) ?? `tenant ${chain}`);
    for (const fault of faults.slice(0, MAX_SHOWN)) console.error(`${name}: ${faultText(fault)}`);
    const counted = `${entries} entries from ${prunedThrough + 1n} on, ${erasedValues} personal values erased`;
    const ends = head === undefined ? 'no head' : `last hash ${head.hash.toString('hex')}`;
    console.log(`${name}: ${counted}, ${ends}: ${faults.length === 0 ? 'proven' : `${faults.length} faults`}`);
    faulty += faults.length === 0 ? 0 : 1;
  }
  process.exitCode = faulty === 0 ? 0 : 1;
} finally {
  await pool.end();
  await embedded?.stop();
}
