import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { appendAudit } from './append.ts';
import { systemActor } from './entry.ts';

const PROGRAM = join(import.meta.dirname, 'verify-main.ts');

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

/** The command as `make audit-verify` calls it. */
const verify = (environment: Record<string, string>) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = { PATH: process.env.PATH, ...environment };
    execFile(process.execPath, [PROGRAM], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });

test('the command ends with 0 and each chain’s last hash, or with 1 and the entries that are wrong', async () => {
  const url = await databases.clone();
  const pool = openPool({ url, onError: () => {} });
  for (const job of ['one', 'two'])
    await appendAudit(pool, { tenant: null, actor: systemActor(job), action: 'test.done' });
  expect(await verify({ DATABASE_URL: url })).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /^platform: 2 entries from 1 on, 0 personal values erased, last hash [0-9a-f]{64}: proven\n$/,
    ),
  });
  await pool.query('alter table audit_entry disable trigger user');
  await pool.query('delete from audit_entry where sequence = 2');
  expect(await verify({ DATABASE_URL: url })).toMatchObject({ code: 1, err: 'platform: entry 2 is missing\n' });
  await pool.end();
});

test('the command that is not told which database says what to set', async () => {
  expect(await verify({})).toMatchObject({ code: 2, err: expect.stringContaining('DATABASE_URL') });
});
