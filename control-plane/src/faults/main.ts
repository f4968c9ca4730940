/** `make kill-rounds`: ROUNDS (50 when absent) and SEED from the environment. Ends with 1 when anything was lost. */
import { seedOf } from '../testing/random.ts';
import { killRounds } from './kill-rounds.ts';

const DEFAULT_ROUNDS = 50;

const rounds = await killRounds({
  rounds: Number(process.env.ROUNDS || DEFAULT_ROUNDS),
  seed: seedOf('kill rounds'),
  onRound: ({ round, victim, requests, recoveryMs, faults }) => {
    const found = faults.length === 0 ? 'nothing lost, nothing twice' : faults.join('; ');
    console.log(
      `round ${round}: ${victim} killed, ${requests} requests, back after ${recoveryMs.toFixed(0)} ms: ${found}`,
    );
  },
});
const bad = rounds.filter(({ faults }) => faults.length > 0);
const requests = rounds.reduce((sum, round) => sum + round.requests, 0);
console.log(`${rounds.length} rounds, ${requests} requests, ${bad.length} rounds with faults`);
process.exitCode = bad.length === 0 ? 0 : 1;
