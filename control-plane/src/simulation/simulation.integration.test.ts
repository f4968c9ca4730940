import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDatabases, type TestDatabases } from '../database/test-database.ts';
import { seedOf } from '../testing/random.ts';
import { campaign, openLane, tellViolation } from './campaign.ts';
import { HOOK_LIMITS } from './gateway.ts';
import { generate } from './generate.ts';
import { simulate } from './simulate.ts';

/** From the fixed seed always as many; from the fresh one as many as fit, at most. */
const FIXED_RUNS = 150;
const FRESH_RUNS = 500;
const FRESH_SECONDS = 12;
const FIXED_SEED = 4_001;
const HOOK = join(import.meta.dirname, '../../../operator/gateway/cloudfreedom_hook.py');

let databases: TestDatabases;
beforeAll(async () => {
  databases = await startTestDatabases();
});
afterAll(() => databases.stop());

/** Every kind of answer the ledger can give to a request. */
const ANSWERS = `granted, conflict, already_voided, already_posted, already_expired, stale, seats_taken,
  refused busy tenant, refused busy user, refused busy key, refused spent tenant, refused spent user, refused spent key,
  posted, posted overrun, posted late, posted late overrun, replayed, unknown, not_authorised, voided`.split(/,\s+/);

test('whatever fails, invariants 1 to 4 hold after every step, from a fixed seed that meets every answer', async () => {
  const report = await campaign({ databases, seed: FIXED_SEED, runs: FIXED_RUNS });
  if (report.found !== undefined) throw new Error(tellViolation(report.found));
  expect(report.runs).toBe(FIXED_RUNS);
  expect(ANSWERS.filter((answer) => !report.outcomes.has(answer))).toEqual([]);
});

test('and from a fresh seed', async () => {
  const seed = seedOf('simulation');
  const report = await campaign({ databases, seed, runs: FRESH_RUNS, seconds: FRESH_SECONDS });
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
