/**
 * How fast the ledger decides: through the class `Ledger`, on a Postgres of its own with fsync and synchronous_commit
 * on, beside pgbench with the same rows written by bare statements on the same Postgres. One run, in turns; medians.
 *
 *   node e2e/bench/ledger.ts [seconds of each turn] [rounds]     prints one line of JSON as its last
 */
import { cpus } from 'node:os';
import { progress } from '../process/progress.ts';
import { asManyAsPossible, fdatasyncMs, load, offered, quantile, round } from './ledger/load.ts';
import { pgbench } from './ledger/pgbench.ts';
import { CONNECTIONS, startLedgerRig, TENANTS } from './ledger/rig.ts';

const OFFERED_PER_SECOND = 1000;
/** Seconds of load before anything is measured: plans, caches and the compiler. */
const WARM_UP_SECONDS = 3;

const seconds = Number(process.argv[2] ?? 5);
const rounds = Number(process.argv[3] ?? 3);
const say = progress('bench-ledger');
const rig = await startLedgerRig();
try {
  const { rows } = await rig.pool.query<{ fsync: string; commit: string }>(
    "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit",
  );
  const loadBefore = load();
  say(`${TENANTS} tenants, ${cpus().length} cores, load ${loadBefore}`);
  await asManyAsPossible(rig, rig.tenants, WARM_UP_SECONDS);
  await rig.pool.query('vacuum analyze');
  const results: Record<string, number[]> = {};
  const note = (name: string, value: number) => {
    results[name] = [...(results[name] ?? []), value];
  };
  for (let round = 1; round <= rounds; round++) {
    const { authoriseP50Ms, authoriseP99Ms } = await offered(rig, OFFERED_PER_SECOND, seconds);
    note('fdatasyncMs', fdatasyncMs());
    note('p50Ms', authoriseP50Ms);
    note('p99Ms', authoriseP99Ms);
    note('ledgerMany', await asManyAsPossible(rig, rig.tenants, seconds));
    note('pgbenchMany', await pgbench(rig, 'many', seconds, say));
    note('ledgerHot', await asManyAsPossible(rig, rig.tenants.slice(0, 1), seconds));
    note('pgbenchHot', await pgbench(rig, 'hot', seconds, say));
    const last = Object.entries(results).map(([name, values]) => `${name} ${values.at(-1)}`);
    say(`round ${round} of ${rounds}: ${last.join(', ')}; load ${load()}`);
  }
  const median = (name: string) => quantile(results[name] ?? [], 0.5);
  const summary = {
    through: 'class Ledger',
    fsync: rows[0]?.fsync,
    synchronousCommit: rows[0]?.commit,
    connections: CONNECTIONS,
    tenants: TENANTS,
    offeredPerSecond: OFFERED_PER_SECOND,
    authoriseP50Ms: median('p50Ms'),
    authoriseP99Ms: median('p99Ms'),
    manyPairsPerSecond: median('ledgerMany'),
    pgbenchManyPairsPerSecond: median('pgbenchMany'),
    manyRatio: round(median('ledgerMany') / median('pgbenchMany')),
    hotPairsPerSecond: median('ledgerHot'),
    pgbenchHotPairsPerSecond: median('pgbenchHot'),
    hotRatio: round(median('ledgerHot') / median('pgbenchHot')),
    fdatasyncP50Ms: median('fdatasyncMs'),
    cores: cpus().length,
    loadBefore,
    loadAfter: load(),
  };
  console.log(JSON.stringify(summary));
} finally {
  await rig.stop();
}
