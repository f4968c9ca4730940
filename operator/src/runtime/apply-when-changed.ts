import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { Cluster, KubeObject, Resource } from './cluster.ts';
import { type Difference, differences } from './differences.ts';
import { isAppliedBy } from './managed-fields.ts';
import type { RuntimeMetrics } from './metrics.ts';

/**
 * Server-side apply that writes nothing when nothing would change.
 *
 * An object needs an apply when one of these holds, and none other:
 * - it is missing;
 * - we never applied it (`managedFields`), so fields we drop later would stay;
 * - the wish changed: the hash of the whole wished object, kept as an annotation on it, is another. This alone notices
 *   a field that is wished no more;
 * - somebody changed a field that we state (`differences`).
 *
 * The server rewrites some values (quantities are known; others may come with new kinds). Such a field would look
 * changed for ever. When an apply that was sent for differences alone turns out to change nothing, the server has said
 * that they are none: they are remembered in memory, and counted as `no-op`, so that a test can ask for none at all.
 *
 * What this cannot see: somebody took a field of ours by writing another value and then our value back, unnoticed. It
 * holds the right value, but is no longer ours, and stays should we later wish it away.
 */

/** Characters of the hash: 128 bits. */
const HASH_LENGTH = 32;
/** Forms of values remembered; when full, the oldest is forgotten and costs one no-op to learn again. */
const MAX_LEARNED_FORMS = 10_000;

/** Why an apply is needed. */
export type ApplyReason =
  | { reason: 'missing' | 'not-ours' | 'wish-changed' }
  | { reason: 'drift'; differences: readonly Difference[] };

/** What an apply came to. `no-op`: it was sent, and the server found nothing to change. */
export interface ApplyResult {
  outcome: 'unchanged' | 'created' | 'updated' | 'no-op';
  object: KubeObject;
}

/** What applies share. */
export interface ApplyDeps {
  cluster: Cluster;
  fieldManager: string;
  /** Annotation that keeps the hash of the wish, e.g. `example.org/applied-hash`. */
  hashAnnotation: string;
  memo: ApplyMemo;
  metrics: RuntimeMetrics;
  /** Told of every answer to a write, e.g. to put it into a store (`Reflector.assume`). */
  onStored?: (resource: Resource, object: KubeObject) => void;
}

/** Values that the server stores in another form than we write them, as learned from no-op applies. */
export class ApplyMemo {
  readonly #forms = new Set<string>();

  /** Remembers that the server takes `live` for `desired` at that field of that kind. */
  learn(kind: string, difference: Difference): void {
    const [oldest] = this.#forms;
    if (this.#forms.size >= MAX_LEARNED_FORMS && oldest !== undefined) this.#forms.delete(oldest);
    this.#forms.add(formOf(kind, difference));
  }

  knows(kind: string, difference: Difference): boolean {
    return this.#forms.has(formOf(kind, difference));
  }
}

/** Why `desired` must be applied over `live`; `undefined` when it need not. Decides without asking anyone. */
export function whyApply(
  { fieldManager, hashAnnotation, memo }: Pick<ApplyDeps, 'fieldManager' | 'hashAnnotation' | 'memo'>,
  desired: KubeObject,
  live: KubeObject | undefined,
): ApplyReason | undefined {
  if (live === undefined) return { reason: 'missing' };
  if (!isAppliedBy(live, fieldManager)) return { reason: 'not-ours' };
  if (live.metadata.annotations?.[hashAnnotation] !== wishHash(desired)) return { reason: 'wish-changed' };
  const drift = differences(desired, live).filter((difference) => !memo.knows(desired.kind, difference));
  return drift.length === 0 ? undefined : { reason: 'drift', differences: drift };
}

/**
 * Applies `desired` when `whyApply` says so. `live` is the object as a store has it; if that is outdated the worst is
 * an apply too many, which changes nothing.
 */
export async function applyWhenChanged(
  deps: ApplyDeps,
  resource: Resource,
  desired: KubeObject,
  live: KubeObject | undefined,
  signal?: AbortSignal,
): Promise<ApplyResult> {
  const why = whyApply(deps, desired, live);
  const count = (outcome: ApplyResult['outcome']) => deps.metrics.applies.inc({ kind: resource.kind, outcome });
  if (why === undefined && live !== undefined) {
    count('unchanged');
    return { outcome: 'unchanged', object: live };
  }
  const object = await deps.cluster.apply(resource, withHash(desired, deps.hashAnnotation), deps.fieldManager, signal);
  const same = object.metadata.resourceVersion === live?.metadata.resourceVersion;
  const outcome = live === undefined ? 'created' : same ? 'no-op' : 'updated';
  if (outcome === 'no-op' && why?.reason === 'drift')
    for (const difference of why.differences) deps.memo.learn(resource.kind, difference);
  count(outcome);
  deps.onStored?.(resource, object);
  return { outcome, object };
}

/**
 * Whether a status holds exactly what is wished, field for field in both directions: a status is its controller's
 * alone. A missing status equals an empty one.
 */
export function statusEquals(live: unknown, desired: unknown): boolean {
  return canonicalJson(live ?? {}) === canonicalJson(desired ?? {});
}

/** The hash of everything an object states. */
export function wishHash(desired: KubeObject): string {
  return createHash('sha256').update(canonicalJson(desired)).digest('hex').slice(0, HASH_LENGTH);
}

function withHash(desired: KubeObject, annotation: string): KubeObject {
  const annotations = { ...desired.metadata.annotations, [annotation]: wishHash(desired) };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

/** One comparable string for "the server has `live` where we write `desired`"; hashed, as values may be secret. */
function formOf(kind: string, { path, desired, live }: Difference): string {
  return createHash('sha256')
    .update(canonicalJson([kind, path, desired ?? null, live ?? null]))
    .digest('base64');
}
