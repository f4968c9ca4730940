import type pg from 'pg';
import { openPool } from '../database/pool.ts';
import type { TestDatabases } from '../database/test-database.ts';
import { generate } from './generate.ts';
import type { Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { type Result, simulate } from './simulate.ts';

/** Scenarios under way at once, each in a database of its own: while one waits for Postgres, another computes. */
const LANES = 3;

export type Found = {
  readonly seed: number;
  readonly run: number;
  readonly scenario: Scenario;
  readonly result: Result;
};
export type Report = {
  readonly runs: number;
  readonly operations: number;
  readonly seconds: number;
  /** The violation of the lowest seed among those that were seen; undefined when all runs were right. */
  readonly found: Found | undefined;
};

export type CampaignOptions = {
  readonly databases: TestDatabases;
  readonly seed: number;
  readonly runs: number;
  /** Changes the database before the runs: what is planted there is to be found. */
  readonly plant?: (pool: pg.Pool) => Promise<void>;
  /** Stops early when this many seconds are over. */
  readonly seconds?: number;
  readonly onProgress?: (runs: number, seconds: number) => void;
};

/** Runs the scenarios of seed, seed + 1 … until one fails; that one is then made as small as possible. */
export async function campaign(options: CampaignOptions): Promise<Report> {
  const { databases, seed, runs, plant, seconds = Number.POSITIVE_INFINITY, onProgress } = options;
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  let next = 0;
  let done = 0;
  let operations = 0;
  const failing: (Found & { readonly pool: pg.Pool })[] = [];
  const pools = await Promise.all(Array.from({ length: LANES }, () => openLane(databases, plant)));
  try {
    await Promise.all(
      pools.map(async (pool) => {
        while (next < runs && failing.length === 0 && elapsed() < seconds) {
          const run = next;
          next += 1;
          const scenario = generate(seed + run);
          const result = await simulate(pool, scenario);
          done += 1;
          operations += result.operations;
          onProgress?.(done, elapsed());
          if (result.violation !== undefined) failing.push({ seed: seed + run, run, scenario, result, pool });
        }
      }),
    );
    const report = { runs: done, operations, seconds: elapsed() };
    const [first] = failing.sort((a, b) => a.run - b.run);
    if (first === undefined) return { ...report, found: undefined };
    const { pool, ...found } = first;
    return { ...report, found: await smallest(pool, found) };
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
}

async function smallest(pool: pg.Pool, found: Found): Promise<Found> {
  const fails = async (smaller: Scenario) => (await simulate(pool, smaller)).violation !== undefined;
  const scenario = await shrink(found.scenario, fails);
  return { ...found, scenario, result: await simulate(pool, scenario) };
}

async function openLane(databases: TestDatabases, plant: CampaignOptions['plant']): Promise<pg.Pool> {
  // Nothing here is about durability, and a simulated crash is none of Postgres: commits need not wait for the disk.
  const url = `${await databases.clone()}&options=${encodeURIComponent('-c synchronous_commit=off')}`;
  const pool = openPool({ url, maxConnections: 4, onError: () => {} });
  await pool.query(
    `insert into exchange_rate (day, usd_per_eur_micro, source) values ('2026-11-20', 1000000, 'simulation')`,
  );
  await plant?.(pool);
  return pool;
}

/** What a reader needs to see the fault and to see it again. */
export function tellViolation({ seed, scenario, result }: Found): string {
  const { steps, ...settings } = scenario;
  return [
    `VIOLATION with SEED=${seed}: ${result.violation}`,
    '',
    `smallest scenario found: ${JSON.stringify(settings)}`,
    ...steps.map((step) => `  ${JSON.stringify(step)}`),
    '',
    'its trace:',
    ...result.trace.map((line) => `  ${line}`),
    '',
    `again: make sim SEED=${seed} RUNS=1`,
  ].join('\n');
}
