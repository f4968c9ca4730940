import { expect, test } from 'vitest';
import { tellViolation } from './campaign.ts';
import { generate } from './generate.ts';
import type { Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';

/** A scenario with much in it. */
function eventful(): Scenario {
  for (let seed = 1; ; seed += 1) {
    const scenario = generate(seed);
    const kills = scenario.steps.filter(({ kind }) => kind === 'gateway_killed');
    if (kills.length > 0 && scenario.steps.length > 15) return scenario;
  }
}

test('only the steps that are needed for the failure are left, and of those only what is needed', async () => {
  const scenario = eventful();
  const [, needed] = scenario.steps.filter(({ kind }) => kind === 'request');
  const fails = async ({ steps }: Scenario) => {
    const killed = steps.some(({ kind }) => kind === 'gateway_killed');
    return killed && steps.some((step) => 'id' in step && 'id' in (needed ?? {}) && step.atMs === needed?.atMs);
  };
  const smallest = await shrink(scenario, fails);
  expect(smallest.steps.map(({ kind }) => kind).sort()).toEqual(['gateway_killed', 'request']);
  expect(smallest.steps.find(({ kind }) => kind === 'request')).toMatchObject({
    messages: [],
    redis: [],
    ending: 'complete',
  });
});

test('what failed is told with its seed, its steps, its trace and the command that repeats it', () => {
  const scenario = generate(3);
  const result = {
    account: 1n,
    trace: ['one', 'two'],
    operations: 2,
    outcomes: new Set<string>(),
    violation: 'invariant 1: overspent',
  };
  const told = tellViolation({ seed: 3, run: 0, scenario, result });
  expect(told).toContain('SEED=3: invariant 1: overspent');
  expect(told).toContain('one\n  two');
  expect(told).toContain('make sim SEED=3 RUNS=1');
});
