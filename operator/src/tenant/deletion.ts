import { readTenant, type TenantSpec } from '@cloudfreedom/crds/tenant.ts';
import { whyApply } from '../runtime/apply-when-changed.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import type { Happening } from '../runtime/event-recorder.ts';
import type { Action, Decision } from './decision.ts';
import { backupVolume, finalBackup } from './desired/backup.ts';
import { namespace as namespaceObject } from './desired/namespace.ts';
import type { TenantInput } from './input.ts';
import { identity } from './kinds.ts';
import {
  COMPONENT_LABEL,
  component,
  FINALIZER,
  namespaceName,
  objectName,
  RETAINED_ANNOTATION,
  TENANT_UID_ANNOTATION,
} from './names.ts';
import { isOwnNamespace } from './resolve.ts';
import { deletingStatus } from './status.ts';
import { volumeClasses } from './volume-check.ts';
import type { Outline } from './wish.ts';

/** Milliseconds until a deletion that waits is looked at again although no watch spoke. */
const LOOK_AGAIN_MS = 15_000;

/** Secrets that data in a kept volume needs. Copies of the platform's keys and certificates never stay behind. */
const secretsOfData: readonly string[] = [
  component.postgres,
  component.redis,
  component.openWebUi,
  objectName.gatewayCredentials,
  objectName.oidcClient,
];
/** Secrets that a snapshot of the database needs: its accounts are signed and encrypted with them. */
const secretsOfSnapshot: readonly string[] = [component.postgres, component.openWebUi];

/**
 * Carries a Tenant's deletion policy out, one step at a time; the finalizer goes last. A Tenant whose spec cannot be
 * read keeps its data: the gentlest policy is the only safe guess.
 */
export function decideDeletion(input: TenantInput): Decision {
  if (!(input.tenant.metadata.finalizers ?? []).includes(FINALIZER)) return nothing;
  const parsed = readTenant(input.tenant);
  const spec = parsed.ok ? parsed.value.spec : undefined;
  const { namespace } = input;
  if (!namespace || !isOwnNamespace(namespace, input.tenant.metadata.name) || isForeign(input, namespace)) {
    return finish(input, spec?.deletionPolicy === 'Delete' ? 'erase' : 'keep');
  }
  const policy = spec?.deletionPolicy ?? 'Retain';
  if (policy === 'Delete') return erase(input, namespace, 'erase');
  if (policy === 'Retain' || !spec) return retain(input, namespace);
  return snapshot(input, namespace, spec);
}

const nothing: Decision = { actions: [], status: undefined, requeueAfterMs: undefined, happenings: [] };

/** A namespace that another Tenant of the same name made and left is not this one's to delete until it was adopted. */
function isForeign({ tenant }: TenantInput, namespace: KubeObject): boolean {
  return namespace.metadata.annotations?.[TENANT_UID_ANNOTATION] !== tenant.metadata.uid;
}

/**
 * Stops everything, then deletes the namespace. Kubernetes looks at a namespace with pods in it again only after half
 * of their longest grace period, which is minutes for LiteLLM: without pods it goes at once.
 */
function erase(input: TenantInput, namespace: KubeObject, fate: 'keep' | 'erase'): Decision {
  const runs = new Set(['Ingress', 'CronJob', 'Job', 'Deployment', 'StatefulSet']);
  const running = input.owned.filter(({ kind }) => runs.has(kind));
  const stopped = running.length === 0 && input.pods.length === 0;
  const going = stopped && alive(namespace) ? [remove(namespace)] : running.filter(alive).map(remove);
  return waiting(input, [...close(input, fate), ...going], {
    reason: 'Deleting',
    message: 'The parts are being stopped; then the namespace goes with everything in it.',
  });
}

function retain(input: TenantInput, namespace: KubeObject): Decision {
  const rest = input.owned.filter((object) => !isData(object, secretsOfData));
  return settle(input, 'Retain', rest, {
    type: 'Normal',
    reason: 'DataRetained',
    action: 'Delete',
    note: `Volumes and Secrets stay in namespace ${namespace.metadata.name}; the same Tenant applied again has them back.`,
  });
}

function snapshot(input: TenantInput, namespace: KubeObject, spec: TenantSpec): Decision {
  const find = (kind: string, name: string) =>
    input.owned.find((object) => object.kind === kind && object.metadata.name === name);
  const marked = namespace.metadata.annotations?.[RETAINED_ANNOTATION] === 'Snapshot';
  if (!marked && !find('PersistentVolumeClaim', objectName.postgresVolume)) return erase(input, namespace, 'keep');
  if (!marked) {
    const writers = input.owned.filter(({ kind }) => kind === 'Ingress' || kind === 'Deployment' || kind === 'CronJob');
    if (writers.length > 0 || running(input, component.openWebUi)) {
      return waiting(input, writers.filter(alive).map(remove), {
        reason: 'SnapshotPending',
        message: 'The chat is being stopped before the last backup.',
      });
    }
    const job = find('Job', objectName.finalBackup);
    const end = jobEnd(job);
    if (end === 'failed') {
      const message = `The last backup failed and nothing was deleted: see Job ${objectName.finalBackup} in namespace ${namespace.metadata.name}, then delete the Job to try again, or set spec.deletionPolicy to Retain or Delete.`;
      return {
        actions: [],
        status: deletingStatus(input, { reason: 'SnapshotFailed', message }, true),
        requeueAfterMs: undefined,
        happenings: [],
      };
    }
    if (end !== 'complete') {
      const outline: Outline = {
        ...owner(input),
        spec,
        settings: input.settings,
        volumeClasses: volumeClasses(input.owned),
      };
      const wished = [...backupVolume(outline), ...(job ? [] : [finalBackup(outline)])];
      return waiting(input, missing(input, wished), {
        reason: 'SnapshotPending',
        message: 'The last backup is running.',
      });
    }
  }
  const kept = (object: KubeObject) =>
    (object.kind === 'Secret' && secretsOfSnapshot.includes(object.metadata.name)) ||
    (object.kind === 'PersistentVolumeClaim' && object.metadata.name === objectName.backupVolume);
  return settle(
    input,
    'Snapshot',
    input.owned.filter((object) => !kept(object)),
    {
      type: 'Normal',
      reason: 'SnapshotTaken',
      action: 'Delete',
      note: `The last backup stays in volume ${objectName.backupVolume} of namespace ${namespace.metadata.name}.`,
    },
  );
}

/** Marks the namespace as kept, removes the rest, and lets the Tenant go once nothing of it runs. */
function settle(
  input: TenantInput,
  policy: 'Retain' | 'Snapshot',
  rest: readonly KubeObject[],
  happening: Happening,
): Decision {
  // what guards the pods goes after the last of them
  const guards = new Set(input.pods.length > 0 ? ['NetworkPolicy', 'ResourceQuota', 'LimitRange'] : []);
  const going = rest.filter(({ kind }) => kind !== 'Namespace' && kind !== 'Pod' && !guards.has(kind));
  const marking = missing(input, [namespaceObject(owner(input), policy)]);
  if (marking.length > 0 || going.length > 0 || input.pods.length > 0) {
    return waiting(input, [...marking, ...going.filter(alive).map(remove)], {
      reason: 'Deleting',
      message: 'The parts are being stopped and removed; the data is kept.',
    });
  }
  return { ...finish(input, 'keep'), happenings: [happening] };
}

function finish(input: TenantInput, fate: 'keep' | 'erase'): Decision {
  const finalizers = (input.tenant.metadata.finalizers ?? []).filter((each) => each !== FINALIZER);
  if (input.registered.answer === 'unreachable') {
    return waiting(input, [], {
      reason: 'ControlPlaneUnreachable',
      message: 'The control plane does not answer; the Tenant goes once it has closed the registration.',
    });
  }
  return {
    actions: [...close(input, fate), { do: 'setFinalizers', finalizers }],
    status: undefined,
    requeueAfterMs: undefined,
    happenings: [],
  };
}

function close({ registered }: TenantInput, data: 'keep' | 'erase'): Action[] {
  if (registered.answer !== 'known') return [];
  return registered.tenant.state === 'open' || data === 'erase' ? [{ do: 'close', data }] : [];
}

function waiting(
  input: TenantInput,
  actions: Action[],
  state: { reason: 'Deleting' | 'SnapshotPending' | 'ControlPlaneUnreachable'; message: string },
): Decision {
  return { actions, status: deletingStatus(input, state), requeueAfterMs: LOOK_AGAIN_MS, happenings: [] };
}

function isData({ kind, metadata: { name } }: KubeObject, secrets: readonly string[]): boolean {
  return kind === 'Namespace' || kind === 'PersistentVolumeClaim' || (kind === 'Secret' && secrets.includes(name));
}

function missing(input: TenantInput, wished: readonly KubeObject[]): Action[] {
  const { owned, namespace } = input;
  const live = new Map([...owned, ...(namespace ? [namespace] : [])].map((object) => [identity(object), object]));
  return wished.flatMap((object) => {
    const current = live.get(identity(object));
    const why = whyApply(input.applying, object, current);
    return why === undefined ? [] : [{ do: 'apply' as const, object, live: current }];
  });
}

function owner({ tenant }: TenantInput) {
  const { name, uid = '' } = tenant.metadata;
  return { tenant: { name, uid }, namespace: namespaceName(name) };
}

function alive({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

function remove(object: KubeObject): Action {
  return { do: 'delete', object };
}

function running({ pods }: TenantInput, part: string): boolean {
  return pods.some(({ metadata }) => metadata.labels?.[COMPONENT_LABEL] === part);
}

function jobEnd(job: KubeObject | undefined): 'complete' | 'failed' | undefined {
  const { conditions = [] } = (job?.status ?? {}) as { conditions?: { type: string; status: string }[] };
  const has = (type: string) => conditions.some((condition) => condition.type === type && condition.status === 'True');
  if (has('Complete')) return 'complete';
  return has('Failed') ? 'failed' : undefined;
}
