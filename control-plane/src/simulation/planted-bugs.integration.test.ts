import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { seedOf } from '../testing/random.ts';
import { campaign } from './campaign.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

/** Runs within which each bug has to be found. Tens to hundreds are what it takes. */
const MAX_RUNS = 10_000;

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

const seed = seedOf('planted bugs');

test.each(PLANTED_BUGS)('found: $name', async (bug) => {
  const { found, runs, seconds } = await campaign({ databases, seed, runs: MAX_RUNS, bug, shrinks: false });
  console.log(`${bug.name}: run ${(found?.run ?? runs) + 1}, ${seconds.toFixed(1)} s: ${found?.result.violation}`);
  expect(found).toBeDefined();
});
