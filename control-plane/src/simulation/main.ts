/**
 * `make sim`: SEED (a random one when absent) and RUNS (1000 when absent) from the environment. Ends with 1 when a run
 * went against the rules.
 */
import { startTestDatabases } from '../database/test-database.ts';
import { seedOf } from '../testing/random.ts';
import { campaign, tellViolation } from './campaign.ts';

const DEFAULT_RUNS = 1_000;
const RUNS_BETWEEN_REPORTS = 500;

const runs = Number(process.env.RUNS || DEFAULT_RUNS);
const seed = seedOf('simulation');
const databases = await startTestDatabases();
try {
  const report = await campaign({
    databases,
    seed,
    runs,
    onProgress: (done, seconds) => {
      if (done % RUNS_BETWEEN_REPORTS === 0) console.log(`${done} runs, ${(done / seconds).toFixed(0)} runs/s`);
    },
  });
  const speed = `${(report.runs / report.seconds).toFixed(0)} runs/s`;
  console.log(`${report.runs} runs, ${report.operations} operations, ${report.seconds.toFixed(1)} s, ${speed}`);
  if (report.found === undefined) {
    console.log(`no violation from SEED=${seed} to SEED=${seed + report.runs - 1}`);
  } else {
    console.log(tellViolation(report.found));
    process.exitCode = 1;
  }
} finally {
  await databases.stop();
}
