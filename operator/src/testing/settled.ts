import { wishHash } from '../runtime/apply-when-changed.ts';
import type { KubeObject } from '../runtime/cluster.ts';
import { decide } from '../tenant/decide.ts';
import type { Action, Decision } from '../tenant/decision.ts';
import type { TenantInput } from '../tenant/input.ts';
import { APPLIED_HASH_ANNOTATION, FIELD_MANAGER, FINALIZER } from '../tenant/names.ts';
import { tenantInput } from './tenant-input.ts';

/** Actions as `do Kind/name`, for tables. */
export const listed = ({ actions }: Decision) =>
  actions.map((action) =>
    'object' in action ? `${action.do} ${action.object.kind}/${action.object.metadata.name}` : action.do,
  );

export const conditionOf = ({ status }: Decision, type: string) =>
  status?.conditions?.find((each) => each.type === type);

/** The input as it is once everything that was decided has been carried out and every part is available. */
export function settled(fields: Partial<TenantInput> = {}): TenantInput {
  const input = tenantInput(fields);
  const { actions } = decide(input);
  const stored = actions.flatMap((action) => (action.do === 'apply' || action.do === 'create' ? [store(action)] : []));
  const registration = actions.find((action) => action.do === 'register')?.registration;
  const budget = {
    grantedNanoEur: '100000000000',
    postedNanoEur: '0',
    heldNanoEur: '0',
    availableNanoEur: '100000000000',
    resetsAt: '2026-04-01T00:00:00Z',
  };
  const { metadata, ...rest } = input.tenant;
  const after: TenantInput = {
    ...input,
    tenant: { ...rest, metadata: { ...metadata, finalizers: [FINALIZER] } },
    namespace: stored.find(({ kind }) => kind === 'Namespace'),
    owned: stored,
    registered: registration ? { answer: 'known', tenant: { state: 'open', registration, budget } } : input.registered,
  };
  return { ...after, tenant: { ...after.tenant, status: decide(after).status } };
}

/** An object as the API server holds it after the operator's write, available where that means something. */
export function store(action: Extract<Action, { do: 'apply' | 'create' }>): KubeObject {
  const { metadata, ...rest } = action.object;
  const hash = action.do === 'apply' ? { [APPLIED_HASH_ANNOTATION]: wishHash(action.object) } : {};
  const { replicas = 1 } = (rest.spec ?? {}) as { replicas?: number };
  return {
    ...rest,
    metadata: {
      ...metadata,
      uid: `uid-${rest.kind}-${metadata.name}`,
      generation: 1,
      annotations: { ...metadata.annotations, ...hash },
      managedFields: [{ manager: FIELD_MANAGER, operation: 'Apply' }],
    },
    ...(['Deployment', 'StatefulSet'].includes(rest.kind) && {
      status: { observedGeneration: 1, replicas, updatedReplicas: replicas, availableReplicas: replicas },
    }),
  };
}
