import { describe, expect, it } from 'vitest';
import { type StoredCondition, storedConditions, summary } from './conditions.ts';
import type { PartState } from './workload-state.ts';

const NOW_MS = Date.parse('2026-03-02T12:00:00.700Z');
const well: PartState = { status: 'True', reason: 'Available', message: '' };
const starting: PartState = { status: 'False', reason: 'WaitingForPods', message: 'Pods are starting.' };
const broken: PartState = { status: 'False', reason: 'ImageUnavailable', message: 'No image.' };
const asleep: PartState = { status: 'False', reason: 'Suspended', message: '' };

describe('what the parts amount to', () => {
  it.each([
    ['all well', { RedisReady: well }, ['True', 'False', 'False']],
    ['one starting', { RedisReady: well, PostgresReady: starting }, ['False', 'True', 'False']],
    ['one that needs somebody', { RedisReady: starting, PostgresReady: broken }, ['False', 'False', 'True']],
    ['suspended', { RedisReady: well, LiteLLMReady: asleep }, ['False', 'False', 'False']],
    ['on the way to being suspended', { RedisReady: starting, LiteLLMReady: asleep }, ['False', 'True', 'False']],
  ])('%s', (_what, parts, expected) => {
    const { Ready, Reconciling, Stalled } = summary(parts);
    expect([Ready.status, Reconciling.status, Stalled.status]).toEqual(expected);
  });
});

describe('conditions as they are stored', () => {
  const before: StoredCondition[] = [
    { type: 'Ready', ...starting, observedGeneration: 1, lastTransitionTime: '2026-03-01T00:00:00Z' },
  ];

  it('are sorted by type and carry the generation', () => {
    const stored = storedConditions({ Stalled: well, BudgetReady: well, Ready: well }, [], 3, NOW_MS);
    expect(stored.map(({ type }) => type)).toEqual(['BudgetReady', 'Ready', 'Stalled']);
    expect(stored.map(({ observedGeneration }) => observedGeneration)).toEqual([3, 3, 3]);
  });

  it('keep their time while only the reason changes', () => {
    const [stored] = storedConditions({ Ready: broken }, before, 2, NOW_MS);
    expect(stored).toMatchObject({ reason: 'ImageUnavailable', lastTransitionTime: '2026-03-01T00:00:00Z' });
  });

  it('take a new time, in whole seconds, when the status changes', () => {
    const [stored] = storedConditions({ Ready: well }, before, 2, NOW_MS);
    expect(stored?.lastTransitionTime).toBe('2026-03-02T12:00:00Z');
  });
});
