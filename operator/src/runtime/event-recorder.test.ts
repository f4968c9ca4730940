import { describe, expect, it } from 'vitest';
import { EVENT_BURST, EVENT_QUIET_MS, EVENT_REFILL_MS, EVENTS, EventRecorder } from './event-recorder.ts';
import { FakeCluster } from './fake-cluster.ts';
import { KubeError } from './kube-error.ts';
import { configMap } from './testing/cluster-scenarios.ts';
import { recordingLog, testMetrics } from './testing/deps.ts';
import { ManualClock } from './testing/manual-clock.ts';

const thing = { ...configMap('default', 'a', {}), metadata: { name: 'a', namespace: 'default', uid: 'u1' } };
const created = (note: string) => ({ type: 'Normal' as const, reason: 'Created', action: 'Create', note });

function setUp() {
  const cluster = new FakeCluster();
  const clock = new ManualClock();
  const { log, lines } = recordingLog();
  const reporter = { reportingController: 'example.org/test', reportingInstance: 'test-1' };
  const recorder = new EventRecorder({ cluster, clock, log, metrics: testMetrics().metrics }, reporter);
  const notes = async () => {
    await recorder.flush();
    return (await cluster.list(EVENTS)).map(({ note }) => note);
  };
  return { cluster, clock, recorder, lines, notes };
}

describe('events', () => {
  it('tell what happened to an object, in its namespace', async () => {
    const { cluster, recorder } = setUp();
    recorder.recordEvent(thing, created('made a'));
    await recorder.flush();
    expect(await cluster.list(EVENTS)).toMatchObject([
      {
        metadata: { namespace: 'default' },
        reason: 'Created',
        note: 'made a',
        type: 'Normal',
        eventTime: '2025-01-01T00:00:00.000000Z',
        regarding: { kind: 'ConfigMap', name: 'a', uid: 'u1' },
      },
    ]);
  });

  it('are told once while the same goes on, and again much later', async () => {
    const { clock, recorder, notes } = setUp();
    for (let n = 0; n < 5; n++) recorder.recordEvent(thing, created('made a'));
    recorder.recordEvent(thing, created('made b'));
    expect(await notes()).toHaveLength(2);
    await clock.advance(EVENT_QUIET_MS);
    recorder.recordEvent(thing, created('made a'));
    expect(await notes()).toHaveLength(3);
  });

  it('give way when there are too many', async () => {
    const { clock, recorder, notes } = setUp();
    for (let n = 0; n < EVENT_BURST + 10; n++) recorder.recordEvent(thing, created(`made ${n}`));
    expect(await notes()).toHaveLength(EVENT_BURST);
    await clock.advance(2 * EVENT_REFILL_MS);
    for (let n = 0; n < 10; n++) recorder.recordEvent(thing, created(`later ${n}`));
    expect(await notes()).toHaveLength(EVENT_BURST + 2);
  });

  it('never fail whoever tells them', async () => {
    const { cluster, recorder, lines } = setUp();
    cluster.intercept = () => {
      throw new KubeError({ status: 403, reason: 'Forbidden', message: 'no' });
    };
    recorder.recordEvent(thing, created('made a'));
    await recorder.flush();
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
  });
});
