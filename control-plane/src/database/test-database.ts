import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { migrate } from './migrate.ts';
import { openPool } from './pool.ts';

export type TestDatabases = {
  /** A fresh, migrated database of its own: cloned from a template in some ten milliseconds. */
  readonly clone: () => Promise<string>;
  readonly stop: () => Promise<void>;
};

/** One Postgres for a test file. Every test takes a database of its own from it, so none has to tidy up. */
export async function startTestDatabases(): Promise<TestDatabases> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudfreedom-test-'));
  await chmod(folder, 0o711);
  const log: string[] = [];
  const postgres = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    temporary: true,
    onLog: (line) => log.push(line),
  });
  const template = openPool({ url: postgres.url, onError: () => {} });
  await migrate(template);
  await template.end();
  const owner = decodeURIComponent(new URL(postgres.url.replace('@/', '@host/')).username);
  return {
    clone: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      const client = new pg.Client({ connectionString: postgres.superuserUrl });
      await client.connect();
      try {
        await client.query(`create database ${name} template cloudfreedom owner ${owner}`);
      } finally {
        await client.end();
      }
      return postgres.url.replace('/cloudfreedom?', `/${name}?`);
    },
    stop: async () => {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
