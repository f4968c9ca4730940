import type { Scenario, Step } from './scenario.ts';

/** Attempts at making a failing scenario smaller before what is left is shown. */
const MAX_ATTEMPTS = 400;

/**
 * The smallest scenario found that still fails: first whole steps are left out, in halves, quarters and so on, then the
 * troubles of each request.
 */
export async function shrink(scenario: Scenario, fails: (smaller: Scenario) => Promise<boolean>): Promise<Scenario> {
  let attempts = 0;
  let best = scenario;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (attempts >= MAX_ATTEMPTS) return false;
    attempts += 1;
    const smaller = { ...best, steps };
    if (!(await fails(smaller))) return false;
    best = smaller;
    return true;
  };
  for (let size = best.steps.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < best.steps.length; ) {
      const without = best.steps.filter((_, index) => index < from || index >= from + size);
      if (!(await attempt(without))) from += size;
    }
  }
  for (let index = 0; index < best.steps.length; index += 1) {
    for (const simpler of simplerSteps) {
      const step = best.steps[index];
      const calmer = step === undefined ? undefined : simpler(step);
      if (calmer === undefined || JSON.stringify(calmer) === JSON.stringify(step)) continue;
      await attempt(best.steps.map((other, at) => (at === index ? calmer : other)));
    }
  }
  return best;
}

/** Each gives a step with less in it; undefined where there is nothing to leave out. */
const simplerSteps: readonly ((step: Step) => Step | undefined)[] = [
  (step) => (step.kind === 'request' ? { ...step, redis: [] } : undefined),
  (step) => (step.kind === 'request' ? { ...step, messages: [] } : undefined),
  (step) => (step.kind === 'request' ? { ...step, messages: step.messages.slice(0, 1) } : undefined),
  (step) => (step.kind === 'request' ? { ...step, messages: step.messages.slice(0, 2) } : undefined),
  (step) => (step.kind === 'request' ? { ...step, ending: 'complete' } : undefined),
  (step) => {
    if (!('database' in step)) return undefined;
    const { database: _, ...rest } = step;
    return rest;
  },
];
