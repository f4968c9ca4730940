import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { readConfig } from './config.ts';
import { httpControlPlane } from './control-plane-client/http-control-plane.ts';
import { createControllers, enqueueForgotten } from './controllers.ts';
import { sleep, systemClock } from './runtime/clock.ts';
import type { Cluster } from './runtime/cluster.ts';
import { loadClusterAccess } from './runtime/cluster-access.ts';
import { EventRecorder } from './runtime/event-recorder.ts';
import { startHealthServer } from './runtime/health-server.ts';
import { KubeCluster } from './runtime/kube-cluster.ts';
import { LeaderElection } from './runtime/leader-election.ts';
import { createRuntimeMetrics } from './runtime/metrics.ts';
import { Reflector } from './runtime/reflector.ts';
import { shutdownSignal } from './runtime/shutdown.ts';
import { optionalKind } from './tenant/kinds.ts';
import { createWorld, reflectorsOf, type World } from './tenant/world.ts';

const LEASE_NAME = 'cloudfreedom-operator';
/** Milliseconds until a control plane that did not answer at the start is asked again. */
const ASK_AGAIN_MS = 10_000;
const REPORTER = 'cloudfreedom.de/operator';

const config = readConfig(process.env);
const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
const clock = systemClock;
const random = Math.random;
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const metrics = createRuntimeMetrics(registry, 'cloudfreedom');
const stop = shutdownSignal(process, clock, log);

const cluster = new KubeCluster({
  access: await loadClusterAccess(process.env),
  metrics,
  userAgent: 'cloudfreedom-operator',
});
const controlPlane = httpControlPlane(config.controlPlane);
const { settings } = config;
const has = await optionalKinds(cluster);
if (settings.tls && 'clusterIssuer' in settings.tls && !has.certificates) {
  throw new Error('TLS_CLUSTER_ISSUER is set, but the cluster has no cert-manager: install it, or set TLS_CA_SECRET');
}

const shared = { clock, random, log, metrics };
const world = createWorld(
  (resource, selection, store) => new Reflector({ ...shared, source: cluster }, { resource, selection, store }),
  { namespace: settings.platformNamespace, baseDomain: settings.baseDomain },
  has,
);
const events = new EventRecorder(
  { cluster, ...shared },
  { reportingController: REPORTER, reportingInstance: config.identity },
);
const controllers = createControllers({ ...shared, cluster, controlPlane, world, settings, events });

const unsynced = () => reflectorsOf(world).filter(({ hasSynced }) => !hasSynced);
const health = await startHealthServer({
  registry,
  live: () => [],
  ready: () => unsynced().map(({ resource }) => `${resource.plural} have not been listed yet`),
  ...config.http,
});
log.info({ port: health.port, has }, 'started');

const mirroring = reflectorsOf(world).map((reflector) => reflector.run(stop));
const outcome = config.leaderElection
  ? await new LeaderElection({ ...shared, cluster }, lease()).run(stop, lead)
  : await lead(stop).then(() => 'released' as const);
log.info({ outcome }, 'stopped');
// after a lost lease somebody else leads already: a fresh process waits for its turn
if (outcome === 'lost') process.exit(1);
await Promise.all([...mirroring, events.flush(), health.close()]);
process.exit(0);

function lease() {
  return { namespace: settings.platformNamespace, name: LEASE_NAME, identity: config.identity };
}

/** Works until `leading` aborts. What is under way may end in peace, unless leadership was lost. */
async function lead(leading: AbortSignal): Promise<void> {
  const lost = new AbortController();
  leading.addEventListener('abort', () => stop.aborted || lost.abort(leading.reason), { once: true });
  void forgetTheGone(leading);
  await Promise.all(Object.values(controllers).map((controller) => controller.run(leading, lost.signal)));
}

/** Entries whose Plan or Model was deleted while nobody watched are known to the control plane alone: it is asked once. */
async function forgetTheGone(leading: AbortSignal): Promise<void> {
  while (!leading.aborted) {
    try {
      return await enqueueForgotten(controllers, controlPlane);
    } catch (error) {
      log.warn({ error: String(error) }, 'cannot list what the control plane knows, trying again');
      await sleep(clock, ASK_AGAIN_MS, leading);
    }
  }
}

async function optionalKinds(reader: Pick<Cluster, 'get'>): Promise<World['has']> {
  const definitions = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    namespaced: false,
  };
  const exists = async ({ plural, apiVersion }: { plural: string; apiVersion: string }) =>
    (await reader.get({ resource: definitions, name: `${plural}.${apiVersion.split('/')[0]}` })) !== undefined;
  return {
    certificates: await exists(optionalKind.certificate),
    // without a namespace to admit, nobody could scrape: then LiteLLM need not count either
    serviceMonitors: settings.monitoringNamespace !== undefined && (await exists(optionalKind.serviceMonitor)),
  };
}
