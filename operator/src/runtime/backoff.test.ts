import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('doubles up to the cap, half of it random', () => {
  const at = (failures: number, random: number) =>
    backoffMs(failures, { baseMs: 100, capMs: 1_000, random: () => random });
  expect([1, 2, 3, 4, 5, 1_000].map((failures) => at(failures, 0))).toEqual([50, 100, 200, 400, 500, 500]);
  expect([1, 2, 3, 4, 5, 1_000].map((failures) => at(failures, 1))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});
