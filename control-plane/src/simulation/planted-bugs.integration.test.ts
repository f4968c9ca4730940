import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { campaign } from './campaign.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

/** Runs within which each bug has to be found. Tens to hundreds are what it takes. */
const MAX_RUNS = 10_000;

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

/** The same scenarios each time, so that a test run takes as long as the last; `SEED=…` looks elsewhere. */
const seed = Number(process.env.SEED ?? 4_001);

test.each(PLANTED_BUGS)('found: $name', async (bug) => {
  const { found, runs, seconds } = await campaign({ databases, seed, runs: MAX_RUNS, bug, shrinks: false });
  console.log(`${bug.name}: run ${(found?.run ?? runs) + 1}, ${seconds.toFixed(1)} s: ${found?.result.violation}`);
  expect(found).toBeDefined();
});
