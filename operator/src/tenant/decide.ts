import { problemsText } from '@cloudfreedom/crds/parse.ts';
import { readTenant, type TenantStatus } from '@cloudfreedom/crds/tenant.ts';
import type { KnownTenant } from '../control-plane-client/control-plane.ts';
import { whyApply } from '../runtime/apply-when-changed.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import type { Happening } from '../runtime/event-recorder.ts';
import { certificateState, isAuthority } from './certificate.ts';
import type { Action, Decision } from './decision.ts';
import { decideDeletion } from './deletion.ts';
import { desiredObjects } from './desired/all.ts';
import { metadata } from './desired/object.ts';
import { opaque } from './desired/provider-keys.ts';
import type { TenantInput } from './input.ts';
import { identity } from './kinds.ts';
import { FINALIZER, objectName } from './names.ts';
import { type Refusal, refuse } from './refusal.ts';
import { isRegistered, registration } from './registration.ts';
import { resolve, secretData } from './resolve.ts';
import { generatedSecret } from './secrets.ts';
import { refusedStatus, statusOf } from './status.ts';
import type { Wish } from './wish.ts';
import { UNSCHEDULABLE_GRACE_MS } from './workload-state.ts';

/** Milliseconds between two looks at the budget and at what no watch tells. */
export const LOOK_AGAIN_MS = 60_000;
/** Milliseconds until a control plane that did not answer is asked again. */
export const ASK_AGAIN_MS = 5_000;

/**
 * What to do about one Tenant. It is pure: the same input gives the same decision. A wish that cannot be met changes
 * nothing, so what ran before goes on.
 */
export function decide(input: TenantInput): Decision {
  if (input.tenant.metadata.deletionTimestamp !== undefined) return decideDeletion(input);
  const parsed = readTenant(input.tenant);
  if (!parsed.ok) return refused(input, refuse('InvalidSpec', problemsText(parsed.problems)));
  const resolved = resolve(input, parsed.value);
  if ('reason' in resolved) return refused(input, resolved);
  const { wish, toCreate, notes } = resolved;
  const certificate = certificateAction(input, wish);
  if (certificate && 'reason' in certificate) return refused(input, certificate);

  const desired = desiredObjects(wish);
  const [namespace, ...rest] = applies(desired, input);
  const applyNamespace = namespace?.object.kind === 'Namespace' ? [namespace] : [];
  const applyRest = applyNamespace.length > 0 || namespace === undefined ? rest : [namespace, ...rest];
  const actions: Action[] = [
    ...finalizer(input.tenant),
    ...applyNamespace,
    ...toCreate.map((each): Action => {
      const { name, part } = generatedSecret[each];
      return { do: 'create', object: opaque(wish, part, name, wish.secrets[each] ?? {}) };
    }),
    ...(certificate?.action ? [certificate.action] : []),
    ...applyRest,
    ...removals(desired, input, wish),
    ...register(input, wish),
  ];
  const status = statusOf(input, wish, notes, {
    workloads: new Set(applyRest.map(({ object }) => `${object.kind}/${object.metadata.name}`)),
    certificate: certificate?.action !== undefined,
  });
  return {
    actions,
    status,
    requeueAfterMs: lookAgain(input, certificate?.renewAtMs),
    happenings: happenings(input, status, wish),
  };
}

function refused(input: TenantInput, refusal: Refusal): Decision {
  const status = refusedStatus(input, refusal);
  return { actions: [], status, requeueAfterMs: LOOK_AGAIN_MS, happenings: happenings(input, status) };
}

function finalizer({ metadata: { finalizers = [] } }: KubeObject): Action[] {
  return finalizers.includes(FINALIZER) ? [] : [{ do: 'setFinalizers', finalizers: [...finalizers, FINALIZER] }];
}

/** Objects that differ from what is there, in the order of the list. */
function applies(desired: readonly KubeObject[], input: TenantInput): Extract<Action, { do: 'apply' }>[] {
  const live = liveByIdentity(input);
  return desired.flatMap((object) => {
    const current = live.get(identity(object));
    const why = whyApply(input.applying, object, current);
    return why === undefined ? [] : [{ do: 'apply' as const, object, live: current }];
  });
}

function liveByIdentity({ owned, namespace }: TenantInput): Map<string, KubeObject> {
  return new Map([...owned, ...(namespace ? [namespace] : [])].map((object) => [identity(object), object]));
}

/** Kinds that hold data or are made by others: what is no longer wished of them is kept. */
const keptKinds = new Set(['Namespace', 'PersistentVolumeClaim', 'Secret', 'Pod', 'Job']);

/** Owned and no longer wished. */
function removals(desired: readonly KubeObject[], { owned }: TenantInput, { namespace }: Wish): Action[] {
  const wished = new Set(desired.map(identity));
  return owned
    .filter(
      (object) =>
        !keptKinds.has(object.kind) &&
        object.metadata.namespace === namespace &&
        object.metadata.deletionTimestamp === undefined &&
        (object.metadata.ownerReferences ?? []).length === 0 &&
        !wished.has(identity(object)),
    )
    .map((object) => ({ do: 'delete', object }));
}

function register({ registered }: TenantInput, wish: Wish): Action[] {
  if (registered.answer === 'unreachable') return [];
  const wished = registration(wish);
  if (
    registered.answer === 'known' &&
    isOpen(registered.tenant) &&
    isRegistered(registered.tenant.registration, wished)
  ) {
    return [];
  }
  return [{ do: 'register', registration: wished }];
}

function isOpen({ state }: KnownTenant): boolean {
  return state === 'open';
}

/** The certificate from the platform's own authority, where the platform has one: when to make it anew. */
function certificateAction(
  input: TenantInput,
  wish: Wish,
): { action?: Action; renewAtMs?: number } | Refusal | undefined {
  const { tls } = wish.settings;
  if (tls === undefined || !('caSecret' in tls)) return undefined;
  const authority = input.platformSecrets[tls.caSecret];
  if (!authority || !isAuthority(authority)) {
    return refuse(
      authority ? 'SecretKeyMissing' : 'SecretMissing',
      `secret "${tls.caSecret}" in the platform namespace must hold a certificate authority under tls.crt and tls.key`,
    );
  }
  const live = input.owned.find(({ kind, metadata: { name } }) => kind === 'Secret' && name === objectName.tls);
  const state = certificateState(live && secretData(live), wish.hosts, authority, input.now);
  if (state.state === 'good') return { renewAtMs: state.renewAtMs };
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(wish, 'route', objectName.tls),
    type: 'kubernetes.io/tls',
  };
  return { action: { do: 'issueCertificate', authority, hosts: wish.hosts, secret } };
}

function lookAgain({ now, registered, pods }: TenantInput, renewAtMs: number | undefined): number {
  const times = [LOOK_AGAIN_MS];
  if (registered.answer === 'unreachable') times.push(ASK_AGAIN_MS);
  if (renewAtMs !== undefined) times.push(Math.max(renewAtMs - now, 0));
  // a pod without a node is judged only after a while, and nothing is written to it in between
  if (pods.some(({ spec }) => (spec as { nodeName?: string } | undefined)?.nodeName === undefined)) {
    times.push(UNSCHEDULABLE_GRACE_MS);
  }
  return Math.min(...times);
}

/** Events tell what has happened, so only a change of a condition makes one. */
function happenings({ tenant }: TenantInput, status: TenantStatus, wish?: Wish): Happening[] {
  const statusOfType = (conditions: TenantStatus['conditions'], type: string) =>
    conditions?.find((condition) => condition.type === type);
  const { conditions: before } = (tenant.status ?? {}) as TenantStatus;
  const stalled = statusOfType(status.conditions, 'Stalled');
  const wasStalled = statusOfType(before, 'Stalled');
  if (stalled?.status === 'True' && (wasStalled?.status !== 'True' || wasStalled.reason !== stalled.reason)) {
    return [{ type: 'Warning', reason: stalled.reason, action: 'Reconcile', note: stalled.message }];
  }
  const isReady = statusOfType(status.conditions, 'Ready')?.status === 'True';
  if (isReady && statusOfType(before, 'Ready')?.status !== 'True') {
    return [
      { type: 'Normal', reason: 'Ready', action: 'Reconcile', note: `The chat answers at https://${wish?.hosts[0]}` },
    ];
  }
  return [];
}
