import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openPool } from './pool.ts';
import { dumpSchema } from './schema-dump.ts';
import { startTestDatabases } from './test-database.ts';

/** `node control-plane/src/database/generate-schema.ts` writes control-plane/db/schema.sql; `--check` only compares it. */
const FILE = join(import.meta.dirname, '../../db/schema.sql');

const databases = await startTestDatabases();
try {
  const pool = openPool({ url: await databases.clone(), onError: console.error });
  const wanted = await dumpSchema(pool);
  await pool.end();
  if (!process.argv.includes('--check')) {
    await writeFile(FILE, wanted);
  } else if ((await readFile(FILE, 'utf8')) !== wanted) {
    console.error('control-plane/db/schema.sql is out of date: run node control-plane/src/database/generate-schema.ts');
    process.exitCode = 1;
  }
} finally {
  await databases.stop();
}
