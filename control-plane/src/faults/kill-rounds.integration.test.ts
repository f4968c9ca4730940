import { expect, test } from 'vitest';
import { seedOf } from '../testing/random.ts';
import { killRounds } from './kill-rounds.ts';

/** Each victim once, and Postgres twice. `make kill-rounds` does fifty. */
const ROUNDS = 4;

test('Postgres and control plane killed under load: nothing acknowledged is lost, nothing is booked twice', async () => {
  const rounds = await killRounds({
    rounds: ROUNDS,
    seed: seedOf('kill rounds'),
    onRound: (round) => console.log(round),
  });
  expect(rounds.flatMap(({ faults }) => faults)).toEqual([]);
  for (const { requests } of rounds) expect(requests).toBeGreaterThan(0);
});
