import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../database/pool.ts';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { ledgerBench } from '../testing/ledger-bench.ts';

const PROGRAM = join(import.meta.dirname, 'replay.ts');

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

/** The command as `make ledger-replay` calls it. */
const replay = (environment: Record<string, string>) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const env = { PATH: process.env.PATH, ...environment };
    execFile(process.execPath, [PROGRAM], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });

test('a replay ends with 0 when every balance follows from its lines, else with 1 and what differs', async () => {
  const url = await databases.clone();
  const pool = openPool({ url, onError: () => {} });
  const of = await ledgerBench({ pool, registration: { monthlyBudgetNanoEur: '1000' } });
  await of.authorise(100n);
  expect(await replay({ DATABASE_URL: url })).toMatchObject({
    code: 0,
    out: '1 accounts, 2 lines, 1 requests: every balance follows from its lines\n',
  });
  await pool.query('update balance set held = held - 1');
  expect(await replay({ DATABASE_URL: url })).toMatchObject({
    code: 1,
    err: expect.stringContaining(`account ${of.account}: the balance is not what its lines say`),
  });
  await pool.end();
});

test('a replay that is not told which database says what to set', async () => {
  expect(await replay({})).toMatchObject({ code: 2, err: expect.stringContaining('DATABASE_URL') });
});
