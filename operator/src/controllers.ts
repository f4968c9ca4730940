import type { CatalogueDeps, EntryStatus } from './catalogue/reconcile.ts';
import { reconcileEntry } from './catalogue/reconcile.ts';
import type { ControlPlane } from './control-plane-client/control-plane.ts';
import type { ModelRegistration, PlanRegistration } from './control-plane-client/shapes.ts';
import { decideModel, unpriced } from './model/decide.ts';
import { decidePlan } from './plan/decide.ts';
import { ApplyMemo, applyWhenChanged, statusEquals } from './runtime/apply-when-changed.ts';
import type { Clock } from './runtime/clock.ts';
import type { Cluster, KubeObject, Resource } from './runtime/cluster.ts';
import { Controller } from './runtime/controller.ts';
import type { EventRecorder } from './runtime/event-recorder.ts';
import type { Log } from './runtime/log.ts';
import type { RuntimeMetrics } from './runtime/metrics.ts';
import { rivalsOf, secretNamesOf } from './tenant/gather.ts';
import { issueCertificate } from './tenant/issue-certificate.ts';
import { customKind } from './tenant/kinds.ts';
import { APPLIED_HASH_ANNOTATION, FIELD_MANAGER } from './tenant/names.ts';
import { reconcileTenant, type TenantDeps } from './tenant/reconcile.ts';
import { secretData } from './tenant/resolve.ts';
import type { Settings } from './tenant/settings.ts';
import { reflectorsOf, tenantOf, type World } from './tenant/world.ts';

/** The longest wait between two tries of a key: a fault that was put right is noticed soon. */
const RETRY_CAP_MS = 30_000;

/** What the operator is made of. */
export interface OperatorDeps {
  cluster: Cluster;
  controlPlane: ControlPlane;
  world: World;
  settings: Settings;
  events: EventRecorder;
  clock: Clock;
  random: () => number;
  log: Log;
  metrics: RuntimeMetrics;
}

/** The three controllers, by what they reconcile. */
export interface Controllers {
  tenants: Controller;
  plans: Controller;
  models: Controller;
}

/** Wires the controllers to what they watch. */
export function createControllers(deps: OperatorDeps): Controllers {
  const { world, settings, clock } = deps;
  const memo = new ApplyMemo();
  const assume = assumeInto(world);
  const apply = { ...deps, fieldManager: FIELD_MANAGER, hashAnnotation: APPLIED_HASH_ANNOTATION, memo };
  const tenantDeps: TenantDeps = {
    ...deps,
    applying: apply,
    now: () => clock.now(),
    assume,
    issueCertificate,
    apply: async (resource, object, live, signal) =>
      (await applyWhenChanged(apply, resource, object, live, signal)).object,
    writeStatus: statusWriter(deps.cluster, customKind.tenant, assume),
    tell: (tenant, happening) => deps.events.recordEvent(tenant, happening),
  };
  const everyTenant = () => world.tenants.store.keys();
  const concernsTenants = (secret: KubeObject) => concernsTenantsOf(world, settings, secret.metadata.name);
  const common = { retryCapMs: RETRY_CAP_MS };
  return {
    tenants: new Controller(deps, {
      ...common,
      name: 'tenant',
      primary: world.tenants,
      owned: world.owned.map((reflector) => ({ reflector, keyOf: tenantOf })),
      mapped: [
        { reflector: world.plans, keysOf: everyTenant },
        { reflector: world.models, keysOf: everyTenant },
        { reflector: world.platformSecrets, keysOf: (secret) => (concernsTenants(secret) ? everyTenant() : []) },
        {
          // a host name that becomes free is for the next one that waits for it
          reflector: world.tenants,
          keysOf: (tenant) => rivalsOf(world, tenant, settings.baseDomain).map(({ metadata }) => metadata.name),
        },
      ],
      reconcile: (name, signal) => reconcileTenant(tenantDeps, name, signal),
    }),
    plans: new Controller(deps, {
      ...common,
      name: 'plan',
      primary: world.plans,
      reconcile: (name, signal) => reconcileEntry(planDeps(deps, assume), name, signal),
    }),
    models: new Controller(deps, {
      ...common,
      name: 'model',
      primary: world.models,
      mapped: [
        { reflector: world.models, keysOf: () => world.models.store.keys() },
        { reflector: world.platformSecrets, keysOf: () => world.models.store.keys() },
      ],
      reconcile: (name, signal) => reconcileEntry(modelDeps(deps, assume), name, signal),
    }),
  };
}

/** Has the entries looked at that the control plane knows although no Plan or Model of that name exists any more. */
export async function enqueueForgotten({ plans, models }: Controllers, controlPlane: ControlPlane): Promise<void> {
  for (const name of await controlPlane.planNames()) plans.enqueue(name, 'resync');
  for (const name of await controlPlane.modelNames()) models.enqueue(name, 'resync');
}

function planDeps(deps: OperatorDeps, assume: (object: KubeObject) => void): CatalogueDeps<PlanRegistration> {
  const { world, controlPlane, cluster, clock } = deps;
  return {
    find: (name) => world.plans.store.get(name),
    decide: decidePlan,
    registered: (name) => controlPlane.plan(name),
    register: (name, registration) => controlPlane.putPlan(name, registration),
    forget: (name) => controlPlane.deletePlan(name),
    writeStatus: statusWriter<EntryStatus>(cluster, customKind.plan, assume),
    now: () => clock.now(),
  };
}

function modelDeps(deps: OperatorDeps, assume: (object: KubeObject) => void): CatalogueDeps<ModelRegistration> {
  const { world, controlPlane, cluster, clock, settings } = deps;
  return {
    find: (name) => world.models.store.get(name),
    decide: (model) => {
      const named = secretNamesOf(model).flatMap((name) => {
        const secret = world.platformSecrets.store.get(`${settings.platformNamespace}/${name}`);
        return secret ? [[name, secretData(secret)] as const] : [];
      });
      return decideModel(model, {
        models: new Set(world.models.store.keys()),
        platformSecrets: Object.fromEntries(named),
      });
    },
    registered: (name) => controlPlane.model(name),
    register: (name, registration) => controlPlane.putModel(name, registration),
    forget: (name) => controlPlane.deleteModel(name),
    objection: async (name) => ((await controlPlane.modelIsPriced(name)) ? undefined : unpriced),
    writeStatus: statusWriter<EntryStatus>(cluster, customKind.model, assume),
    now: () => clock.now(),
  };
}

/** Writes a status unless it is already so. The UID keeps it from landing on a successor of the same name. */
function statusWriter<Status extends object>(
  cluster: Cluster,
  resource: Resource,
  assume: (object: KubeObject) => void,
): (object: KubeObject, status: Status, signal: AbortSignal) => Promise<void> {
  return async (object, status, signal) => {
    if (statusEquals(object.status, status)) return;
    const { name, uid = '' } = object.metadata;
    const wished: KubeObject = {
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata: { name, uid },
      status,
    };
    assume(await cluster.applyStatus(resource, wished, FIELD_MANAGER, signal));
  };
}

/** Puts the answer to a write into the store that mirrors its kind, unless that store would not have it at all. */
function assumeInto(world: World): (object: KubeObject) => void {
  const byKind = new Map(
    reflectorsOf(world)
      .filter((reflector) => reflector !== world.platformSecrets)
      .map((reflector) => [reflector.resource.kind, reflector]),
  );
  return (object) => byKind.get(object.kind)?.assume(object);
}

function concernsTenantsOf(world: World, settings: Settings, secretName: string): boolean {
  if (settings.tls && 'caSecret' in settings.tls && settings.tls.caSecret === secretName) return true;
  for (const model of world.models.store.values()) if (secretNamesOf(model).includes(secretName)) return true;
  for (const tenant of world.tenants.store.values()) {
    const { postgres } = (tenant.spec ?? {}) as { postgres?: { externalSecretName?: string } };
    if (postgres?.externalSecretName === secretName) return true;
  }
  return false;
}
