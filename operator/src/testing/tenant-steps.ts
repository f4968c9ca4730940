import assert from 'node:assert/strict';
import { until } from '../../../e2e/process/until.ts';
import type { Cluster, KubeObject, Resource } from '../runtime/cluster.ts';
import { customKind, ownedKind } from '../tenant/kinds.ts';
import { APPLIED_HASH_ANNOTATION, component, namespaceName } from '../tenant/names.ts';
import type { FakeControlPlane } from './fake-control-plane.ts';
import { tenant as tenantObject } from './objects.ts';

/** A cluster with a running operator, two Models, a Plan and the platform's Secrets. */
export interface Rig {
  cluster: Cluster;
  controlPlane: FakeControlPlane;
  /** Resolves when the operator has come to rest. */
  quiet(): Promise<void>;
  /** Stops the operator and starts a new one. */
  restart(): Promise<void>;
}

/** Milliseconds a statement may take to come true on a busy machine. */
export const PATIENCE = { timeoutMs: 30_000, intervalMs: 50 };
/** Who edits by hand. */
export const SOMEBODY = 'kubectl-edit';

export async function apply({ cluster }: Rig, name: string, spec: Record<string, unknown> = {}): Promise<void> {
  const { metadata, ...rest } = tenantObject(name, spec);
  await cluster.apply(customKind.tenant, { ...rest, metadata: { name: metadata.name } }, SOMEBODY);
}

export async function remove(rig: Rig, name: string): Promise<void> {
  const { metadata } = await readTenant(rig, name);
  await rig.cluster.delete({ resource: customKind.tenant, name }, { uid: metadata.uid ?? '' });
}

export async function readTenant({ cluster }: Rig, name: string): Promise<KubeObject> {
  const found = await cluster.get({ resource: customKind.tenant, name });
  assert(found, `Tenant ${name} is not there`);
  return found;
}

export async function gone({ cluster }: Rig, name: string): Promise<void> {
  const look = async () =>
    (await cluster.get({ resource: customKind.tenant, name })) === undefined ? true : undefined;
  await until(`Tenant ${name} to be gone`, look, PATIENCE);
}

/** Waits until the condition is as told and of this generation; returns its message. */
export async function condition(rig: Rig, name: string, type: string, status: string, reason: string): Promise<string> {
  let seen = 'no condition';
  const look = async () => {
    const { metadata, status: whole } = await readTenant(rig, name);
    const { conditions = [] } = (whole ?? {}) as { conditions?: Record<string, unknown>[] };
    const found = conditions.find((each) => each.type === type);
    seen = JSON.stringify(conditions);
    const matches =
      found?.status === status && found.reason === reason && found.observedGeneration === metadata.generation;
    return matches ? String(found.message) : undefined;
  };
  return until(`${name} ${type}=${status} ${reason}`, look, PATIENCE).catch((cause) => {
    throw new Error(`${cause.message}; last seen: ${seen}`, { cause });
  });
}

export async function ready(rig: Rig, name: string, spec: Record<string, unknown> = {}): Promise<void> {
  await apply(rig, name, spec);
  await partsBecomeAvailable(rig, name);
  await condition(rig, name, 'Ready', 'True', 'Available');
}

/** Reports the workloads as available, as Kubernetes' own controllers would. */
export async function partsBecomeAvailable(rig: Rig, name: string): Promise<void> {
  const namespace = namespaceName(name);
  const workloads = [
    { resource: ownedKind.statefulSet, part: component.postgres },
    { resource: ownedKind.statefulSet, part: component.redis },
    { resource: ownedKind.deployment, part: component.liteLlm },
    { resource: ownedKind.deployment, part: component.openWebUi },
  ];
  for (const { resource, part } of workloads) {
    const found = await until(
      `${part} of ${name}`,
      () => rig.cluster.get({ resource, namespace, name: part }),
      PATIENCE,
    );
    const { replicas = 1 } = found.spec as { replicas?: number };
    const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
    await report(rig, resource, found, { observedGeneration: found.metadata.generation, ...counts });
  }
}

export async function reportJob(rig: Rig, job: KubeObject, type: 'Complete' | 'Failed'): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const ends =
    type === 'Complete'
      ? [{ type: 'SuccessCriteriaMet', status: 'True' }]
      : [{ type: 'FailureTarget', status: 'True' }];
  await report(rig, ownedKind.job, job, {
    startTime: now,
    ...(type === 'Complete' && { completionTime: now }),
    conditions: [...ends, { type, status: 'True' }].map((each) => ({ ...each, lastTransitionTime: now })),
  });
}

/** Lets deleted volumes go, as the controller does that keeps those a pod still uses. */
export async function releaseVolumes({ cluster }: Rig, namespace: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const ref = { resource: ownedKind.persistentVolumeClaim, namespace, name };
    await until(
      `volume ${name} to be deleted`,
      async () => {
        const found = await cluster.get(ref);
        if (found?.metadata.deletionTimestamp !== undefined) await cluster.setFinalizers(ref, found, []);
        return found === undefined || found.metadata.deletionTimestamp !== undefined ? true : undefined;
      },
      PATIENCE,
    );
  }
}

export async function report({ cluster }: Rig, resource: Resource, object: KubeObject, status: object): Promise<void> {
  const { name, namespace = '' } = object.metadata;
  const { apiVersion, kind } = resource;
  await cluster.applyStatus(
    resource,
    { apiVersion, kind, metadata: { name, namespace }, status },
    'controller-manager',
  );
}

export async function deleteOwned(
  { cluster }: Rig,
  resource: Resource,
  namespace: string,
  name: string,
): Promise<void> {
  const found = await cluster.get({ resource, namespace, name });
  assert(found, `${resource.kind} ${name} is not there`);
  await cluster.delete({ resource, namespace, name }, { uid: found.metadata.uid ?? '' });
}

export async function namesOf({ cluster }: Rig, resource: Resource, namespace: string): Promise<string[]> {
  return (await cluster.list(resource, { namespace })).map(({ metadata }) => metadata.name).sort();
}

export async function secretsOf({ cluster }: Rig, namespace: string): Promise<Map<string, unknown>> {
  const secrets = await cluster.list(ownedKind.secret, { namespace });
  return new Map(secrets.map(({ metadata, data }) => [metadata.name, data]));
}

/** A fingerprint of everything the operator writes for a Tenant, its status included. */
export async function versions(rig: Rig, name: string): Promise<Map<string, string>> {
  const namespace = namespaceName(name);
  const found = new Map<string, string>();
  const { metadata } = await readTenant(rig, name);
  found.set(`Tenant/${name}`, metadata.resourceVersion ?? '');
  for (const resource of Object.values(ownedKind)) {
    if (!resource.namespaced) continue;
    for (const object of await rig.cluster.list(resource, { namespace })) {
      // an object of ours carries the hash of what was applied; what others write into its status is not our doing
      const mine = object.metadata.annotations?.[APPLIED_HASH_ANNOTATION];
      found.set(
        `${resource.kind}/${object.metadata.name}`,
        `${object.metadata.uid} ${object.metadata.generation ?? object.metadata.resourceVersion} ${mine}`,
      );
    }
  }
  return found;
}

export function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key)).sort();
}
