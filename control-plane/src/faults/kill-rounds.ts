import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { openPool } from '../database/pool.ts';
import { Random } from '../testing/random.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { copyOf, emptyJournal, missing, surplus } from './journal.ts';
import { KillablePostgres } from './killable-postgres.ts';
import { Load } from './load.ts';

const REPLICAS = 2;
/** Milliseconds under load before the kill: at random between these. */
const SHORTEST_LOAD_MS = 100;
const LONGEST_LOAD_MS = 1_500;
/** Milliseconds of load after the recovery, so that what was interrupted is taken up again. */
const LOAD_AFTER_MS = 200;

export type Victim = 'postgres' | 'control plane' | 'both';
const VICTIMS: readonly Victim[] = ['postgres', 'control plane', 'both'];

export type Round = {
  readonly round: number;
  readonly victim: Victim;
  readonly requests: number;
  /** Milliseconds from the kill until everything runs again. */
  readonly recoveryMs: number;
  /** What was acknowledged and lost, booked twice, or does not add up. Empty: all is well. */
  readonly faults: readonly string[];
};

/**
 * Under load, kills Postgres, a control plane, or both, at a random time, and starts them again. What had been
 * acknowledged before the kill is looked for at once; when every request has had its end, nothing may be there twice.
 */
export async function killRounds(options: {
  readonly rounds: number;
  readonly seed: number;
  readonly onRound: (round: Round) => void;
}): Promise<Round[]> {
  const random = new Random(options.seed);
  const postgres = await KillablePostgres.start();
  const replicas = Array.from({ length: REPLICAS }, () => new ControlPlaneProcess(postgres.url));
  const pool = openPool({ url: postgres.url, maxConnections: 2, onError: () => {} });
  const listening = () => replicas.flatMap(({ url }) => (url === undefined ? [] : [url]));
  const load = new Load(listening, random, emptyJournal());
  try {
    for (const replica of replicas) await replica.start();
    await load.registerTenants();
    const rounds: Round[] = [];
    for (let round = 1; round <= options.rounds; round += 1) {
      const victim = VICTIMS[(round - 1) % VICTIMS.length] ?? 'postgres';
      const facts = await killOnce({ random, victim, postgres, replicas, pool, load });
      rounds.push({ round, victim, ...facts });
      options.onRound({ round, victim, ...facts });
    }
    return rounds;
  } finally {
    await Promise.all(replicas.map((replica) => replica.kill()));
    await pool.end();
    await postgres.remove();
  }
}

async function killOnce(deps: {
  random: Random;
  victim: Victim;
  postgres: KillablePostgres;
  replicas: readonly ControlPlaneProcess[];
  pool: pg.Pool;
  load: Load;
}): Promise<Pick<Round, 'requests' | 'recoveryMs' | 'faults'>> {
  const { random, victim, postgres, replicas, pool, load } = deps;
  const stop = new AbortController();
  const running = load.run(stop.signal);
  // Whatever goes wrong in a client is seen when it is awaited below, not before.
  running.catch(() => stop.abort());
  await sleep(random.integer(SHORTEST_LOAD_MS, LONGEST_LOAD_MS));
  const replica = random.pick(replicas);
  const acknowledged = copyOf(load.journal);
  const killedAt = performance.now();
  if (victim !== 'postgres') await replica.kill();
  if (victim !== 'control plane') {
    await postgres.kill();
    await postgres.restart();
  }
  const lost = await missing(pool, acknowledged);
  if (victim !== 'postgres') await replica.start();
  const recoveryMs = performance.now() - killedAt;
  await sleep(LOAD_AFTER_MS);
  stop.abort();
  const requests = await running;
  const faults = [...lost, ...(await missing(pool, load.journal)), ...(await surplus(pool, load.journal))];
  return { requests, recoveryMs, faults };
}
