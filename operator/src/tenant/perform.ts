import { type ControlPlane, ControlPlaneError, isUnreachable } from '../control-plane-client/control-plane.ts';
import type { Cluster, KubeObject, ObjectRef, Resource } from '../runtime/cluster.ts';
import { isInvalid, isNotFound, KubeError } from '../runtime/kube-error.ts';
import type { Action } from './decision.ts';
import { customKind, resourceOf } from './kinds.ts';
import { FIELD_MANAGER } from './names.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { SecretData } from './wish.ts';

/** What carrying out needs: the doors to both servers, and what is remembered of their answers. */
export interface PerformDeps {
  cluster: Cluster;
  controlPlane: ControlPlane;
  /** Applies unless the object is already so; returns what is stored. */
  apply(resource: Resource, object: KubeObject, live: KubeObject | undefined, signal: AbortSignal): Promise<KubeObject>;
  /** Takes the answer to a write into the cache at once. */
  assume(object: KubeObject): void;
  issueCertificate(authority: SecretData, hosts: readonly [string, ...string[]], nowMs: number): Promise<SecretData>;
  now(): number;
}

/** An action that was refused for a reason that people can change; `error` is what to throw once they were told. */
export interface Failure {
  refusal: Refusal;
  error: unknown;
}

/** Carries actions out in order and stops at the first that fails. What may pass by itself is thrown at once. */
export async function perform(
  deps: PerformDeps,
  tenant: KubeObject,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<Failure | undefined> {
  for (const action of actions) {
    try {
      await performOne(deps, tenant, action, signal);
    } catch (error) {
      const refusal = refusalOf(action, error);
      if (!refusal) throw error;
      return { refusal, error };
    }
  }
  return undefined;
}

async function performOne(deps: PerformDeps, tenant: KubeObject, action: Action, signal: AbortSignal): Promise<void> {
  const { cluster, controlPlane, assume } = deps;
  const { name } = tenant.metadata;
  switch (action.do) {
    case 'setFinalizers': {
      await setFinalizers(deps, tenant, action.finalizers, signal);
      return;
    }
    case 'apply':
      assume(await deps.apply(resourceOf(action.object), action.object, action.live, signal));
      return;
    case 'create':
      assume(await cluster.create(resourceOf(action.object), action.object, FIELD_MANAGER, signal));
      return;
    case 'delete': {
      const { uid = '', resourceVersion } = action.object.metadata;
      await cluster.delete(refOf(action.object), { uid, ...(resourceVersion && { resourceVersion }) }, signal);
      return;
    }
    case 'register':
      await controlPlane.putTenant(name, action.registration);
      return;
    case 'close':
      await controlPlane.closeTenant(name, action.data);
      return;
    case 'issueCertificate': {
      const data = await deps.issueCertificate(action.authority, action.hosts, deps.now());
      const secret = { ...action.secret, data: encoded(data) };
      assume(await cluster.apply(resourceOf(secret), secret, FIELD_MANAGER, signal));
      return;
    }
  }
}

/** The last finalizer takes the Tenant along, so that one is neither remembered nor missed when it is gone already. */
async function setFinalizers(
  { cluster, assume }: PerformDeps,
  tenant: KubeObject,
  finalizers: string[],
  signal: AbortSignal,
): Promise<void> {
  const leaving = tenant.metadata.deletionTimestamp !== undefined;
  try {
    const stored = await cluster.setFinalizers(
      { resource: customKind.tenant, name: tenant.metadata.name },
      tenant,
      finalizers,
      signal,
    );
    if (!leaving) assume(stored);
  } catch (error) {
    if (!leaving || !isNotFound(error)) throw error;
  }
}

function refOf(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata;
  return { resource: resourceOf(object), name, ...(namespace && { namespace }) };
}

/** The refusal that people can do something about, if it is one. */
function refusalOf(action: Action, error: unknown): Refusal | undefined {
  if (error instanceof ControlPlaneError) {
    return isUnreachable(error)
      ? refuse('ControlPlaneUnreachable', `${error.message}; it is asked again`)
      : refuse('ControlPlaneRefused', error.message);
  }
  if (!(error instanceof KubeError) || !('object' in action)) return undefined;
  const { status, message } = error;
  const forbidden = status === 403 && !message.includes('being terminated');
  if (!forbidden && !isInvalid(error)) return undefined;
  const what = `${action.object.kind} "${action.object.metadata.name}"`;
  return message.includes('exceeded quota')
    ? refuse('QuotaExceeded', `${what} does not fit the namespace's quota: choose a larger plan or lower the sizes`)
    : refuse('ApplyRefused', `the API server refused ${what}: ${message}`);
}

const encoded = (data: SecretData) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
