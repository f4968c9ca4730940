import { describe, expect, it } from 'vitest';
import { ControlPlaneError } from '../control-plane-client/control-plane.ts';
import { decideModel, unpriced } from '../model/decide.ts';
import { decidePlan } from '../plan/decide.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import type { Refusal } from '../tenant/refusal.ts';
import { deployment, model, plan } from '../testing/objects.ts';
import { type CatalogueDeps, type EntryStatus, reconcileEntry } from './reconcile.ts';

const signal = new AbortController().signal;

/** A catalogue of one kind in memory: what exists, what is registered, what was written. */
function rig<Registration>(decide: CatalogueDeps<Registration>['decide'], objects: KubeObject[]) {
  const registered = new Map<string, Registration>();
  const statuses = new Map<string, EntryStatus>();
  const writes: string[] = [];
  const fault: { error?: ControlPlaneError } = {};
  const deps: CatalogueDeps<Registration> = {
    find: (name) => objects.find(({ metadata }) => metadata.name === name),
    decide,
    async registered(name) {
      if (fault.error?.status === 0) throw fault.error;
      return registered.get(name);
    },
    async register(name, registration) {
      if (fault.error) throw fault.error;
      writes.push(`register ${name}`);
      registered.set(name, structuredClone(registration));
    },
    async forget(name) {
      writes.push(`forget ${name}`);
      registered.delete(name);
    },
    async writeStatus({ metadata }, status) {
      statuses.set(metadata.name, status);
    },
    now: () => Date.parse('2026-03-02T12:00:00Z'),
  };
  const conditionOf = (name: string, type: string) => statuses.get(name)?.conditions.find((each) => each.type === type);
  return { deps, registered, writes, fault, conditionOf };
}

describe('a Plan', () => {
  it('is registered once, and again when it changes', async () => {
    const objects = [plan()];
    const { deps, writes, registered, conditionOf } = rig(decidePlan, objects);
    await reconcileEntry(deps, 'professional', signal);
    await reconcileEntry(deps, 'professional', signal);
    expect(writes).toEqual(['register professional']);
    expect(registered.get('professional')).toMatchObject({
      monthlyBudgetNanoEur: '100000000000',
      maxMembers: null,
      marginPercent: 20,
    });
    expect(conditionOf('professional', 'Ready')).toMatchObject({ status: 'True', reason: 'Registered' });
    objects[0] = plan('professional', { marginPercent: 0 });
    await reconcileEntry(deps, 'professional', signal);
    expect(writes).toHaveLength(2);
  });

  it('is forgotten when it is gone', async () => {
    const objects = [plan()];
    const { deps, writes, registered } = rig(decidePlan, objects);
    await reconcileEntry(deps, 'professional', signal);
    objects.length = 0;
    await reconcileEntry(deps, 'professional', signal);
    await reconcileEntry(deps, 'professional', signal);
    expect(registered.size).toBe(0);
    expect(writes).toEqual(['register professional', 'forget professional']);
  });

  it('that breaks a rule is not registered, and says which', async () => {
    const { deps, writes, conditionOf } = rig(decidePlan, [plan('professional', { marginPercent: 101 })]);
    await reconcileEntry(deps, 'professional', signal);
    expect(writes).toEqual([]);
    expect(conditionOf('professional', 'Stalled')).toMatchObject({ status: 'True', reason: 'InvalidSpec' });
    expect(conditionOf('professional', 'Stalled')?.message).toContain('spec.marginPercent');
  });

  it('waits for a control plane that is away without giving up', async () => {
    const { deps, fault, conditionOf } = rig(decidePlan, [plan()]);
    fault.error = new ControlPlaneError({ status: 0, message: 'the control plane does not answer' });
    const { requeueAfterMs } = await reconcileEntry(deps, 'professional', signal);
    expect(requeueAfterMs).toBeLessThanOrEqual(10_000);
    expect(conditionOf('professional', 'Ready')).toMatchObject({ status: 'False', reason: 'ControlPlaneUnreachable' });
    expect(conditionOf('professional', 'Reconciling')?.status).toBe('True');
    expect(conditionOf('professional', 'Stalled')?.status).toBe('False');
  });

  it('that is refused says why, and is tried again by the queue', async () => {
    const { deps, fault, conditionOf } = rig(decidePlan, [plan()]);
    fault.error = new ControlPlaneError({ status: 422, message: 'the control plane refused: no' });
    await expect(reconcileEntry(deps, 'professional', signal)).rejects.toBe(fault.error);
    expect(conditionOf('professional', 'Stalled')).toMatchObject({ status: 'True', reason: 'ControlPlaneRefused' });
  });
});

describe('an entry that the control plane registers and objects to', () => {
  it('says so until the objection is gone', async () => {
    const objects = [plan()];
    const { deps, conditionOf, writes } = rig(decidePlan, objects);
    let objection: Refusal | undefined = unpriced;
    const objecting = { ...deps, objection: async () => objection };
    await reconcileEntry(objecting, 'professional', signal);
    expect(writes).toEqual(['register professional']);
    expect(conditionOf('professional', 'Stalled')).toMatchObject({ status: 'True', reason: 'Unpriced' });
    expect(conditionOf('professional', 'Stalled')?.message).toMatch(/^spec\.prices is absent .*state prices/);
    objection = undefined;
    await reconcileEntry(objecting, 'professional', signal);
    expect(conditionOf('professional', 'Ready')).toMatchObject({ status: 'True', reason: 'Registered' });
  });
});

describe('a Model', () => {
  const surroundings = { models: new Set(['gpt-4o']), platformSecrets: { openai: { 'api-key': 'sk' } } };
  const whole = (spec: Record<string, unknown> = {}) => decideModel(model('gpt-4o', spec), surroundings);

  it('is registered without anything secret', () => {
    const { registration, refusal } = whole();
    expect(refusal).toBeUndefined();
    expect(registration).toMatchObject({
      class: 'full',
      mode: 'chat',
      prices: { inputUsdPerMillion: '2.50' },
      replacedBy: null,
    });
    expect(JSON.stringify(registration)).not.toContain('openai":');
    expect(registration?.deployments).toEqual([
      { name: 'primary', provider: 'openai', model: 'gpt-4o', residency: 'us' },
    ]);
  });

  it.each([
    ['an unknown fallback', { fallbacks: ['nope'] }, 'ModelNotFound', /"nope"/],
    ['an unknown replacement', { replacedBy: 'nope' }, 'ModelNotFound', /"nope"/],
    [
      'a missing Secret',
      { deployments: [deployment('a', { apiKeySecret: { name: 'absent' } })] },
      'SecretMissing',
      /"absent".*"api-key"/,
    ],
    [
      'a Secret without the key',
      { deployments: [deployment('a', { apiKeySecret: { name: 'openai', key: 'other' } })] },
      'SecretKeyMissing',
      /"other"/,
    ],
  ])('with %s is registered all the same, and says what to change', (_what, spec, reason, message) => {
    const { registration, refusal } = whole(spec);
    expect(registration).toBeDefined();
    expect(refusal?.reason).toBe(reason);
    expect(refusal?.message).toMatch(message);
  });

  it('without prices of its own is registered so: the control plane knows what its deployments cost', () => {
    const { registration, refusal } = whole({ prices: undefined });
    expect(refusal).toBeUndefined();
    expect(registration).toMatchObject({ prices: null, free: false });
  });

  it('that breaks a rule is not registered', () => {
    expect(whole({ free: true })).toMatchObject({ registration: undefined, refusal: { reason: 'InvalidSpec' } });
  });
});
