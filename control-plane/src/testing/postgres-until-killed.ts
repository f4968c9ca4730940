import pg from 'pg';
import { startEmbeddedPostgres } from '../database/embedded-postgres.ts';

/** A process to be killed: starts Postgres, writes rows, and tells its parent how many were acknowledged. */
const ROWS = 50;

const folder = process.argv[2];
if (folder === undefined) throw new Error('name a folder');
const postgres = await startEmbeddedPostgres({ folder, temporary: true, onLog: () => {} });
const client = new pg.Client({ connectionString: postgres.url });
client.on('error', () => {});
await client.connect();
await client.query('create table acknowledged (id int)');
for (let row = 1; ; row += 1) {
  await client.query('insert into acknowledged values ($1)', [row]);
  if (row === ROWS) process.send?.(row);
}
