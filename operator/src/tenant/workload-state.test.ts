import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../runtime/cluster.ts';
import { labels } from './names.ts';
import { UNSCHEDULABLE_GRACE_MS, workloadState } from './workload-state.ts';

const NOW_MS = Date.parse('2026-03-02T12:00:00Z');

function deployment(status: Record<string, unknown>, replicas = 1): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'litellm', generation: 2 },
    spec: { replicas },
    status,
  };
}

function pod(status: Record<string, unknown>, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'litellm-1', labels: labels('acme', 'litellm'), ...metadata },
    status,
  };
}

const starting = deployment({ observedGeneration: 2, replicas: 1, updatedReplicas: 1 });
const waiting = (reason: string) => ({
  name: 'litellm',
  image: 'registry.example/litellm:nope',
  state: { waiting: { reason } },
});
const unscheduledFor = (ms: number) => ({
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      lastTransitionTime: new Date(NOW_MS - ms).toISOString(),
    },
  ],
});

describe('how a part is doing', () => {
  it.each([
    ['is not made yet', undefined, [], 'Progressing'],
    ['is starting', starting, [], 'WaitingForPods'],
    [
      'is read before its controller has seen the last change',
      deployment({ observedGeneration: 1, updatedReplicas: 1, availableReplicas: 1 }),
      [],
      'Progressing',
    ],
    [
      'has an old pod that serves and a new one that starts',
      deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 1 }),
      [],
      'Progressing',
    ],
    [
      'rolls while old pods serve',
      deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 1 }, 2),
      [],
      'Progressing',
    ],
    ['is scaled to zero', deployment({ observedGeneration: 2 }, 0), [], 'Suspended'],
    ['is being scaled to zero', deployment({ observedGeneration: 2, replicas: 1 }, 0), [], 'Progressing'],
    [
      'has an image that cannot be pulled',
      starting,
      [pod({ containerStatuses: [waiting('ErrImagePull')] })],
      'ImageUnavailable',
    ],
    [
      'has an init image that cannot be pulled',
      starting,
      [pod({ initContainerStatuses: [waiting('ImagePullBackOff')] })],
      'ImageUnavailable',
    ],
    [
      'keeps stopping',
      starting,
      [pod({ containerStatuses: [{ name: 'litellm', ready: false, restartCount: 2 }] })],
      'PodCrashing',
    ],
    [
      'stopped once',
      starting,
      [pod({ containerStatuses: [{ name: 'litellm', ready: false, restartCount: 1 }] })],
      'WaitingForPods',
    ],
    ['has had no node for long', starting, [pod(unscheduledFor(UNSCHEDULABLE_GRACE_MS))], 'PodUnschedulable'],
    ['has no node yet', starting, [pod(unscheduledFor(UNSCHEDULABLE_GRACE_MS - 1))], 'WaitingForPods'],
    [
      'does not fit the quota',
      deployment({
        observedGeneration: 2,
        conditions: [
          { type: 'ReplicaFailure', status: 'True', message: 'pods "x" is forbidden: exceeded quota: tenant' },
        ],
      }),
      [],
      'QuotaExceeded',
    ],
    [
      'made no progress',
      deployment({
        observedGeneration: 2,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      }),
      [],
      'RolloutStuck',
    ],
    [
      'has a broken pod that is on its way out',
      starting,
      [pod({ containerStatuses: [waiting('ErrImagePull')] }, { deletionTimestamp: '2026-03-02T11:59:00Z' })],
      'WaitingForPods',
    ],
  ])('%s', (_what, workload, pods, reason) => {
    expect(workloadState('litellm', workload, pods, NOW_MS)).toMatchObject({ status: 'False', reason });
  });

  it('is well when every wished pod runs the newest version', () => {
    const well = deployment({ observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, 2);
    expect(workloadState('litellm', well, [], NOW_MS)).toEqual({ status: 'True', reason: 'Available', message: '' });
  });

  it('is not judged by pods of an older template, whose fault is being cured already', () => {
    const template = (image: string, stamp: string) => ({
      metadata: { annotations: { stamp } },
      spec: { containers: [{ name: 'litellm', image }] },
    });
    const workload = { ...starting, spec: { replicas: 1, template: template('litellm:2', 'b') } };
    const failing = (image: string, stamp: string) => ({
      ...pod({ containerStatuses: [waiting('ErrImagePull')] }, { annotations: { stamp } }),
      spec: { containers: [{ name: 'litellm', image }] },
    });
    const reason = (...pods: KubeObject[]) => workloadState('litellm', workload, pods, NOW_MS).reason;
    expect(reason(failing('litellm:1', 'b'), failing('litellm:2', 'a'))).toBe('WaitingForPods');
    expect(reason(failing('litellm:2', 'b'))).toBe('ImageUnavailable');
  });

  it('says the same whichever of its two words the kubelet uses for a failed pull', () => {
    const said = (reason: string) =>
      workloadState('litellm', starting, [pod({ containerStatuses: [waiting(reason)] })], NOW_MS);
    expect(said('ErrImagePull')).toEqual(said('ImagePullBackOff'));
    expect(said('ErrImagePull').message).toContain('registry.example/litellm:nope');
  });
});
