import type { TenantStatus } from '@cloudfreedom/crds/tenant.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { type BudgetSummary, budgetSummary } from './budget-summary.ts';
import { type PartStates, type StoredCondition, stalledBy, storedConditions, summary } from './conditions.ts';
import type { TenantInput } from './input.ts';
import { component, objectName } from './names.ts';
import type { Refusal } from './refusal.ts';
import type { Wish } from './wish.ts';
import { type PartState, workloadState } from './workload-state.ts';

/** The workload behind each part's condition. */
const workloads = {
  PostgresReady: { kind: 'StatefulSet', part: component.postgres },
  RedisReady: { kind: 'StatefulSet', part: component.redis },
  LiteLLMReady: { kind: 'Deployment', part: component.liteLlm },
  OpenWebUIReady: { kind: 'Deployment', part: component.openWebUi },
} as const;

/** What a decision is about to change, as far as the status must tell of it. */
export interface Pending {
  /** Workloads that are about to be written: `Deployment/litellm`. What Kubernetes reports of them is of the past. */
  workloads: ReadonlySet<string>;
  certificate: boolean;
}

/** The status of a Tenant whose wish can be met. */
export function statusOf(input: TenantInput, wish: Wish, notes: readonly string[], pending: Pending): TenantStatus {
  const parts: PartStates = {
    ...partStates(input, pending, wish.externalDatabaseUrl !== undefined),
    BudgetReady: budgetState(input),
    RouteReady: routeState(input, wish, pending),
  };
  if (notes.length > 0 && parts.LiteLLMReady?.status === 'True') {
    parts.LiteLLMReady = { ...parts.LiteLLMReady, message: `Left out: ${notes.join(' ')}` };
  }
  const budget = budgetOf(input, wish);
  const lastBackupTime = lastBackup(input);
  const [host] = wish.hosts;
  return {
    ...withConditions(input, { ...parts, ...summary(parts) }),
    url: `https://${host}`,
    apiUrl: `https://${host}/v1`,
    namespace: wish.namespace,
    versions: {
      liteLlm: imageVersion(wish.settings.images.liteLlm),
      openWebUi: imageVersion(wish.settings.images.openWebUi),
      ...(wish.externalDatabaseUrl === undefined && { postgres: imageVersion(wish.settings.images.postgres) }),
      redis: imageVersion(wish.settings.images.redis),
    },
    ...(budget && { budget }),
    ...(lastBackupTime && { lastBackupTime }),
  };
}

/** The status of a Tenant whose wish cannot be met: the reason, and what runs already as it is. */
export function refusedStatus(input: TenantInput, refusal: Refusal): TenantStatus {
  const parts = existingParts(input);
  // it passes by itself: nobody needs to act
  const waits = refusal.reason === 'NamespaceTerminating';
  const whole = waits ? summary({ Ready: { status: 'False', ...refusal } }) : stalledBy(refusal);
  return { ...previousStatus(input.tenant), ...withConditions(input, { ...parts, ...whole }) };
}

/** The status with what went wrong while the decision was carried out laid over it. */
export function failedStatus(tenant: KubeObject, status: TenantStatus, failure: Refusal, nowMs: number): TenantStatus {
  const states = Object.fromEntries((status.conditions ?? []).map((each) => [each.type, each])) as PartStates;
  const { generation = 0 } = tenant.metadata;
  const previous = (previousStatus(tenant).conditions ?? []) as StoredCondition[];
  const strip = Object.fromEntries(
    Object.entries(states).map(([type, { status: value, reason, message }]) => [
      type,
      { status: value, reason, message },
    ]),
  );
  const passesByItself = failure.reason === 'ControlPlaneUnreachable';
  const whole = passesByItself ? summary({ Ready: { status: 'False', ...failure } }) : stalledBy(failure);
  return { ...status, conditions: storedConditions({ ...strip, ...whole }, previous, generation, nowMs) };
}

/** A Tenant's status while its deletion policy is carried out. */
export function deletingStatus(input: TenantInput, state: Omit<PartState, 'status'>, stalled = false): TenantStatus {
  const whole = stalled ? stalledBy(state) : summary({ Ready: { status: 'False', ...state } });
  return { ...previousStatus(input.tenant), ...withConditions(input, whole) };
}

function withConditions({ tenant, now }: TenantInput, states: PartStates): TenantStatus {
  const { generation = 0 } = tenant.metadata;
  const previous = (previousStatus(tenant).conditions ?? []) as StoredCondition[];
  return { observedGeneration: generation, conditions: storedConditions(states, previous, generation, now) };
}

function previousStatus(tenant: KubeObject): TenantStatus {
  return (tenant.status ?? {}) as TenantStatus;
}

function partStates(input: TenantInput, pending: Pending, external: boolean): PartStates {
  const states: PartStates = {};
  for (const [type, { kind, part }] of Object.entries(workloads)) {
    if (external && part === component.postgres) continue;
    const live = input.owned.find((each) => each.kind === kind && each.metadata.name === part);
    states[type as keyof typeof workloads] = pending.workloads.has(`${kind}/${part}`)
      ? { status: 'False', reason: 'Progressing', message: `${part} has been written and is about to start.` }
      : workloadState(part, live, input.pods, input.now);
  }
  return states;
}

/** The parts that exist, for a Tenant of which nothing else can be said. */
function existingParts(input: TenantInput): PartStates {
  const states = partStates(input, { workloads: new Set(), certificate: false }, false);
  for (const [type, { kind, part }] of Object.entries(workloads)) {
    const exists = input.owned.some((each) => each.kind === kind && each.metadata.name === part);
    if (!exists) delete states[type as keyof typeof workloads];
  }
  return states;
}

/**
 * Registered or not. A control plane that is away for a moment does not undo a registration: what was agreed for this
 * generation still holds.
 */
function budgetState({ tenant, registered }: TenantInput): PartState {
  if (registered.answer !== 'unreachable') return { status: 'True', reason: 'Registered', message: '' };
  const before = ((previousStatus(tenant).conditions ?? []) as StoredCondition[]).find(
    ({ type }) => type === 'BudgetReady',
  );
  if (before?.status === 'True' && before.observedGeneration === tenant.metadata.generation) {
    return { status: 'True', reason: 'Registered', message: '' };
  }
  const message = `${registered.message}; it is asked again. Running chats go on.`;
  return {
    status: 'False',
    reason: 'ControlPlaneUnreachable',
    message: message.charAt(0).toUpperCase() + message.slice(1),
  };
}

function routeState({ owned }: TenantInput, { settings }: Wish, pending: Pending): PartState {
  const accepted: PartState = { status: 'True', reason: 'RouteAccepted', message: '' };
  if (settings.tls === undefined || pending.certificate || 'caSecret' in settings.tls) return accepted;
  const certificate = owned.find(({ kind, metadata }) => kind === 'Certificate' && metadata.name === objectName.tls);
  const { conditions = [] } = (certificate?.status ?? {}) as { conditions?: { type: string; status: string }[] };
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return accepted;
  return { status: 'False', reason: 'CertificatePending', message: 'cert-manager has not issued the certificate yet.' };
}

function budgetOf(input: TenantInput, wish: Wish): BudgetSummary | undefined {
  const previous = previousStatus(input.tenant).budget;
  if (input.registered.answer !== 'known') return previous;
  return budgetSummary(input.registered.tenant.budget, previous, wish.spec.budget.alertThresholdsPercent);
}

function lastBackup({ owned, tenant }: TenantInput): string | undefined {
  const schedule = owned.find(({ kind, metadata }) => kind === 'CronJob' && metadata.name === component.backup);
  const { lastSuccessfulTime } = (schedule?.status ?? {}) as { lastSuccessfulTime?: string };
  return lastSuccessfulTime ?? previousStatus(tenant).lastBackupTime;
}

/** The version in an image's name: its tag, else the beginning of its digest. */
export function imageVersion(image: string): string {
  const [name = '', digest] = image.split('@');
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  return tag ?? digest?.slice(0, 'sha256:'.length + 12) ?? 'latest';
}
