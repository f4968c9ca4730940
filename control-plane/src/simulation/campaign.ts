import type pg from 'pg';
import { openPool } from '../database/pool.ts';
import type { TestDatabases } from '../database/test-database.ts';
import type { GatewayFlaw } from './gateway.ts';
import { generate } from './generate.ts';
import { type PlantedBug, plant } from './planted-bugs.ts';
import type { Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { type Result, simulate } from './simulate.ts';

/** Scenarios under way at once, each in a database of its own: while one waits for Postgres, another computes. */
const LANES = 3;
/** The product's replay looks at every account of a database at once, so it is not run after each run. */
const RUNS_PER_REPLAY = 250;

export type Found = {
  readonly seed: number;
  readonly run: number;
  readonly scenario: Scenario;
  readonly result: Result;
};
export type Report = {
  readonly runs: number;
  readonly operations: number;
  /** Every kind of answer that was seen. */
  readonly outcomes: ReadonlySet<string>;
  readonly seconds: number;
  /** The violation of the lowest seed among those that were seen; undefined when all runs were right. */
  readonly found: Found | undefined;
};

export type CampaignOptions = {
  readonly databases: TestDatabases;
  readonly seed: number;
  readonly runs: number;
  /** What the runs are to find. */
  readonly bug?: PlantedBug;
  /** Whether what fails is made smaller; it is, unless somebody only wants to know that it fails. */
  readonly shrinks?: boolean;
  /** Stops early when this many seconds are over. */
  readonly seconds?: number;
  readonly onProgress?: (runs: number, seconds: number) => void;
};

/** Runs the scenarios of seed, seed + 1 … until one fails; that one is then made as small as possible. */
export async function campaign(options: CampaignOptions): Promise<Report> {
  const { databases, seed, runs, bug, shrinks = true, seconds = Number.POSITIVE_INFINITY, onProgress } = options;
  const flaw = flawOf(bug);
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  let next = 0;
  let done = 0;
  let operations = 0;
  let outcomes: ReadonlySet<string> = new Set();
  const failing: (Found & { readonly pool: pg.Pool })[] = [];
  const lane = async (pool: pg.Pool): Promise<void> => {
    let unreplayed: Found[] = [];
    const replay = async () => {
      failing.push(...(await replayed(pool, unreplayed)).map((found) => ({ ...found, pool })));
      unreplayed = [];
    };
    while (next < runs && failing.length === 0 && elapsed() < seconds) {
      const run = next;
      next += 1;
      const scenario = generate(seed + run);
      const result = await simulate(pool, scenario, flaw);
      done += 1;
      operations += result.operations;
      outcomes = outcomes.union(result.outcomes);
      onProgress?.(done, elapsed());
      const found = { seed: seed + run, run, scenario, result };
      if (result.violation !== undefined) failing.push({ ...found, pool });
      else unreplayed.push(found);
      if (unreplayed.length === RUNS_PER_REPLAY) await replay();
    }
    if (failing.length === 0) await replay();
  };
  const pools = await Promise.all(Array.from({ length: LANES }, () => openLane(databases, bug)));
  try {
    await Promise.all(pools.map(lane));
    const report = { runs: done, operations, outcomes, seconds: elapsed() };
    const [first] = failing.sort((a, b) => a.run - b.run);
    if (first === undefined) return { ...report, found: undefined };
    const { pool, ...found } = first;
    return { ...report, found: shrinks ? await smallest(pool, found, flaw) : found };
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
}

/** Those of the runs in whose accounts the product's own replay finds a fault. It looks at all accounts in one go. */
async function replayed(pool: pg.Pool, runs: readonly Found[]): Promise<Found[]> {
  const { rows } = await pool.query<{ account_id: bigint; fault: string }>(
    'select account_id, fault from ledger_faults order by account_id, fault',
  );
  return runs.flatMap((run) => {
    const row = rows.find(({ account_id }) => account_id === run.result.account);
    return row === undefined ? [] : [{ ...run, result: { ...run.result, violation: `invariant 4: ${row.fault}` } }];
  });
}

async function smallest(pool: pg.Pool, found: Found, flaw: GatewayFlaw | undefined): Promise<Found> {
  const attempt = async (scenario: Scenario): Promise<Found> => {
    const whole = { ...found, scenario, result: await simulate(pool, scenario, flaw) };
    if (whole.result.violation !== undefined) return whole;
    return (await replayed(pool, [whole]))[0] ?? whole;
  };
  const scenario = await shrink(found.scenario, async (smaller) => {
    return (await attempt(smaller)).result.violation !== undefined;
  });
  return attempt(scenario);
}

function flawOf(bug: PlantedBug | undefined): GatewayFlaw | undefined {
  return bug !== undefined && 'flaw' in bug ? bug.flaw : undefined;
}

/** A database of its own, with a bug where one is planted. */
export async function openLane(databases: TestDatabases, bug: PlantedBug | undefined): Promise<pg.Pool> {
  // Nothing here is about durability, and a simulated crash is none of Postgres: commits need not wait for the disk.
  const url = `${await databases.clone()}&options=${encodeURIComponent('-c synchronous_commit=off -c plan_cache_mode=force_generic_plan')}`;
  const pool = openPool({ url, maxConnections: 4, onError: () => {} });
  await pool.query(
    `insert into exchange_rate (day, usd_per_eur_micro, source) values ('2026-11-20', 1000000, 'simulation')`,
  );
  if (bug !== undefined) await plant(pool, bug);
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
