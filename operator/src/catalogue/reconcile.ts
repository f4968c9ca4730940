import { isDeepStrictEqual } from 'node:util';
import { ControlPlaneError, isUnreachable } from '../control-plane-client/control-plane.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import type { ReconcileResult } from '../runtime/controller.ts';
import { type StoredCondition, stalledBy, storedConditions, summary } from '../tenant/conditions.ts';
import { type Refusal, refuse } from '../tenant/refusal.ts';
import type { PartState } from '../tenant/workload-state.ts';

/** Milliseconds between two looks at what the control plane has. */
const LOOK_AGAIN_MS = 300_000;

/** Milliseconds until a control plane that did not answer is asked again. */
const ASK_AGAIN_MS = 5_000;

/** What is to be registered of a Plan or a Model, and what people should change about it; it may be both. */
export interface Entry<Registration> {
  registration: Registration | undefined;
  refusal: Refusal | undefined;
}

/** The status of a Plan or a Model. */
export interface EntryStatus {
  observedGeneration: number;
  conditions: StoredCondition[];
}

/** One kind of the catalogue: where it is read, how it is judged, where it is registered. */
export interface CatalogueDeps<Registration> {
  find(name: string): KubeObject | undefined;
  /** Pure. */
  decide(object: KubeObject): Entry<Registration>;
  registered(name: string): Promise<Registration | undefined>;
  register(name: string, registration: Registration): Promise<void>;
  forget(name: string): Promise<void>;
  /** What the control plane has against an entry that it registered. */
  objection?(name: string): Promise<Refusal | undefined>;
  writeStatus(object: KubeObject, status: EntryStatus, signal: AbortSignal): Promise<void>;
  now(): number;
}

/** Registers a Plan or a Model at the control plane when it differs, forgets it when it is gone, and says so. */
export async function reconcileEntry<Registration>(
  deps: CatalogueDeps<Registration>,
  name: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const object = deps.find(name);
  if (!object || object.metadata.deletionTimestamp !== undefined) {
    if ((await deps.registered(name)) !== undefined) await deps.forget(name);
    return {};
  }
  const { registration, refusal } = deps.decide(object);
  const failure = registration === undefined ? undefined : await register(deps, name, registration);
  const registered = registration !== undefined && failure === undefined;
  const objection = registered && refusal === undefined ? await deps.objection?.(name) : undefined;
  const wrong = failure?.refusal ?? refusal ?? objection;
  await deps.writeStatus(object, statusOf(object, wrong, deps.now()), signal);
  if (failure?.refusal.reason === 'ControlPlaneUnreachable') return { requeueAfterMs: ASK_AGAIN_MS };
  if (failure) throw failure.error;
  return { requeueAfterMs: LOOK_AGAIN_MS };
}

async function register<Registration>(
  deps: CatalogueDeps<Registration>,
  name: string,
  registration: Registration,
): Promise<{ refusal: Refusal; error: unknown } | undefined> {
  try {
    if (!isDeepStrictEqual(await deps.registered(name), registration)) await deps.register(name, registration);
    return undefined;
  } catch (error) {
    if (!(error instanceof ControlPlaneError)) throw error;
    const refusal = isUnreachable(error)
      ? refuse('ControlPlaneUnreachable', `${error.message}; it is asked again`)
      : refuse('ControlPlaneRefused', error.message);
    return { refusal, error };
  }
}

function statusOf(object: KubeObject, refusal: Refusal | undefined, nowMs: number): EntryStatus {
  const { generation = 0 } = object.metadata;
  const previous = ((object.status ?? {}) as Partial<EntryStatus>).conditions ?? [];
  const registered: PartState = { status: 'True', reason: 'Registered', message: '' };
  const unreachable = refusal?.reason === 'ControlPlaneUnreachable';
  const whole =
    refusal === undefined
      ? { ...summary({}), Ready: registered }
      : unreachable
        ? summary({ Ready: { status: 'False', ...refusal } })
        : stalledBy(refusal);
  return { observedGeneration: generation, conditions: storedConditions(whole, previous, generation, nowMs) };
}
