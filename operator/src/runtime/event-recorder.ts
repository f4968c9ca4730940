import { createHash } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Cluster, KubeObject, Resource } from './cluster.ts';
import { microTime } from './leader-election.ts';
import type { Log } from './log.ts';
import type { RuntimeMetrics } from './metrics.ts';

export const EVENTS: Resource = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events', namespaced: true };

/** Milliseconds in which the same thing is told once. */
export const EVENT_QUIET_MS = 600_000;
/** Events told at once, and milliseconds until one more may be. */
export const EVENT_BURST = 50;
export const EVENT_REFILL_MS = 1_000;
/** Things remembered as told already. */
const MAX_REMEMBERED = 10_000;
/** Characters of a note that the server takes. */
const MAX_NOTE_LENGTH = 1_024;
/** Where events about cluster-scoped objects live. */
const CLUSTER_SCOPED_HOME = 'default';

/** Something that has happened; never a state that merely lasts: conditions tell those. */
export interface Happening {
  type: 'Normal' | 'Warning';
  /** CamelCase: what it is, for machines. */
  reason: string;
  /** CamelCase: what we did or tried. */
  action: string;
  /** A sentence for people, without secrets. */
  note: string;
}

/** Records events about objects. Telling is a courtesy: it never throws, never waits, and gives way when it is too much. */
export class EventRecorder {
  readonly #deps: { cluster: Cluster; clock: Clock; log: Log; metrics: RuntimeMetrics };
  readonly #reporter: { reportingController: string; reportingInstance: string };
  readonly #told = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  #tokens = EVENT_BURST;
  #refilledAt: number;
  #sequence = 0;

  constructor(
    deps: { cluster: Cluster; clock: Clock; log: Log; metrics: RuntimeMetrics },
    reporter: { reportingController: string; reportingInstance: string },
  ) {
    this.#deps = deps;
    this.#reporter = reporter;
    this.#refilledAt = deps.clock.now();
  }

  /** Tells that `happening` happened to `regarding`, unless it was told a moment ago or too much is being told. */
  recordEvent(regarding: KubeObject, happening: Happening): void {
    const { metrics, clock } = this.#deps;
    const now = clock.now();
    const thing = fingerprint([regarding.metadata.uid, happening]);
    const toldAt = this.#told.get(thing);
    const repeated = toldAt !== undefined && now - toldAt < EVENT_QUIET_MS;
    if (repeated || !this.#take(now)) {
      metrics.events.inc({ outcome: repeated ? 'repeated' : 'dropped' });
      return;
    }
    this.#remember(thing, now);
    const telling = this.#tell(regarding, happening, now).finally(() => this.#underWay.delete(telling));
    this.#underWay.add(telling);
  }

  /** Resolves when everything told so far has arrived or failed. */
  async flush(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #tell({ apiVersion, kind, metadata }: KubeObject, happening: Happening, now: number): Promise<void> {
    const { cluster, log, metrics } = this.#deps;
    const { name, namespace, uid, resourceVersion } = metadata;
    const suffix = fingerprint([uid, now, this.#reporter, ++this.#sequence]).slice(0, 16);
    const event: KubeObject = {
      apiVersion: EVENTS.apiVersion,
      kind: EVENTS.kind,
      metadata: { name: `${name.slice(0, 200)}.${suffix}`, namespace: namespace ?? CLUSTER_SCOPED_HOME },
      eventTime: microTime(now),
      ...this.#reporter,
      ...happening,
      note: happening.note.slice(0, MAX_NOTE_LENGTH),
      regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
    };
    try {
      await cluster.create(EVENTS, event, this.#reporter.reportingController);
      metrics.events.inc({ outcome: 'recorded' });
    } catch (error) {
      metrics.events.inc({ outcome: 'failed' });
      log.warn({ kind, name, reason: happening.reason, error: String(error) }, 'cannot record an event');
    }
  }

  #take(now: number): boolean {
    const refill = Math.floor((now - this.#refilledAt) / EVENT_REFILL_MS);
    this.#tokens = Math.min(EVENT_BURST, this.#tokens + refill);
    this.#refilledAt += refill * EVENT_REFILL_MS;
    if (this.#tokens === 0) return false;
    this.#tokens--;
    return true;
  }

  #remember(thing: string, now: number): void {
    this.#told.delete(thing);
    this.#told.set(thing, now);
    const [oldest] = this.#told.keys();
    if (this.#told.size > MAX_REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
  }
}

function fingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
