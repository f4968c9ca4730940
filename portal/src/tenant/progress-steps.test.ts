import { expect, test } from 'vitest';
import type { Progress } from '../api/types.ts';
import { hindrance, progressSteps } from './progress-steps.ts';

type Condition = Progress['conditions'][number];

const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  type,
  status,
  reason,
  message: '',
});
const progress = (conditions: Condition[], ready = false): Progress => ({
  tenant: 'acme',
  ready,
  current: true,
  deleting: false,
  url: null,
  conditions,
});
const states = (of: Progress | undefined) =>
  Object.fromEntries(progressSteps(of).map(({ name, state }) => [name, state]));

test('before anything is known, the order is being taken and all else is to come', () => {
  expect(states(undefined)).toMatchObject({ Accepted: 'active', PostgresReady: 'waiting', Ready: 'waiting' });
});

test('parts that start are under way, parts that need another one wait', () => {
  const seen = states(
    progress([
      condition('BudgetReady', 'True', 'Registered'),
      condition('PostgresReady', 'False', 'WaitingForPods'),
      condition('OpenWebUIReady', 'False', 'WaitingForDependency'),
    ]),
  );
  expect(seen).toMatchObject({
    Accepted: 'done',
    BudgetReady: 'done',
    PostgresReady: 'active',
    OpenWebUIReady: 'waiting',
    RouteReady: 'waiting',
  });
});

test('what does not solve itself shows as stuck, with its reason', () => {
  const stuck = progress([
    condition('Stalled', 'True', 'PodUnschedulable'),
    condition('PostgresReady', 'False', 'PodUnschedulable'),
  ]);
  expect(states(stuck)).toMatchObject({ PostgresReady: 'failed' });
  expect(hindrance(stuck)).toBe('PodUnschedulable');
});

test('a start that only takes its time has no hindrance', () => {
  expect(hindrance(progress([condition('LiteLLMReady', 'False', 'WaitingForPods')]))).toBeUndefined();
  expect(hindrance(undefined)).toBeUndefined();
});

test('is done when the tenant is ready', () => {
  expect(states(progress([condition('Ready', 'True', 'Available')], true))).toMatchObject({ Ready: 'done' });
});
