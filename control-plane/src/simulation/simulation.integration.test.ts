import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { seedOf } from '../testing/random.ts';
import { campaign, openLane, tellViolation } from './campaign.ts';
import { HOOK_LIMITS } from './gateway.ts';
import { generate } from './generate.ts';
import { simulate } from './simulate.ts';

/** The short form of `make sim`: as many runs as fit, at most. */
const RUNS = 400;
const SECONDS = 12;
const FIXED_SEED = 4_001;
const HOOK = join(import.meta.dirname, '../../../operator/gateway/cloudfreedom_hook.py');

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

test.each([
  ['a fixed', FIXED_SEED],
  ['a fresh', seedOf('simulation')],
])('whatever fails, invariants 1 to 4 hold after every step: from %s seed', async (_, seed) => {
  const report = await campaign({ databases, seed, runs: RUNS, seconds: SECONDS });
  console.log(`${report.runs} runs, ${report.operations} operations, ${report.seconds.toFixed(1)} s`);
  if (report.found !== undefined) throw new Error(tellViolation(report.found));
  expect(report.runs).toBeGreaterThan(0);
});

test('the same seed gives the same trace, byte for byte', async () => {
  const pool = await openLane(databases, undefined);
  try {
    for (const seed of [7, 8, 9]) {
      const [first, second] = [await simulate(pool, generate(seed)), await simulate(pool, generate(seed))];
      expect(first.trace.length).toBeGreaterThan(1);
      expect(second.trace.join('\n')).toBe(first.trace.join('\n'));
    }
  } finally {
    await pool.end();
  }
});

test('the simulated gateway has the hook’s limits', async () => {
  const hook = await readFile(HOOK, 'utf8');
  const limits = Object.keys(HOOK_LIMITS).map((name) => {
    const value = hook.match(new RegExp(`^${name}: Final = ([0-9_.]+)`, 'm'))?.[1];
    return [name, Number(value?.replaceAll('_', ''))];
  });
  expect(Object.fromEntries(limits)).toEqual(HOOK_LIMITS);
});
