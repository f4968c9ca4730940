import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { deliverAlerts } from './alerts/deliver.ts';
import { startDeliveryWorker } from './alerts/delivery-worker.ts';
import { openMailer } from './alerts/mailer.ts';
import { sealWebhookSecrets } from './alerts/webhook-secret.ts';
import { startKubernetesAudit } from './audit/kubernetes-watch.ts';
import { startAuditRetention } from './audit/retention.ts';
import { Catalogue, storeRate } from './catalogue/catalogue.ts';
import { shippedPriceList, storePriceList } from './catalogue/price-snapshot.ts';
import type { Config } from './config.ts';
import { openVault } from './crypto/vault.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded-postgres.ts';
import { migrate } from './database/migrate.ts';
import { openPool } from './database/pool.ts';
import { docsPage } from './docs-page/docs-page.ts';
import { Bell } from './events/bell.ts';
import { startTeller } from './events/teller.ts';
import { Files } from './files/files.ts';
import { openFileDriver } from './files/open-driver.ts';
import { startFileSweeper } from './files/sweep.ts';
import { hashSecret } from './http/auth.ts';
import { trustedProxies } from './http/client.ts';
import type { Quotas } from './http/limits/quotas.ts';
import { RateLimits } from './http/limits/rate-limits.ts';
import { createMetrics } from './http/metrics.ts';
import { servePortal } from './http/portal-files.ts';
import { ConditionalWrites } from './http/preconditions.ts';
import { listen } from './http/server.ts';
import { startUpkeep } from './http/upkeep.ts';
import { appointPlatformAdmins } from './identity/account/people.ts';
import { startTidying } from './identity/account/tidy.ts';
import { Passwords } from './identity/password.ts';
import type { HashCost } from './identity/password-hash.ts';
import { openProviders } from './identity/social/providers.ts';
import { Throttle } from './identity/throttle.ts';
import { KeyUse, startKeyUse } from './keys/key-use.ts';
import { RevokedKeys, startRevokedKeys } from './keys/revoked-keys.ts';
import { ServiceTokens } from './keys/service-tokens.ts';
import { TokenKeys } from './keys/token-keys.ts';
import { openTenantResources } from './kubernetes/tenant-resources.ts';
import { Leases } from './ledger/leases.ts';
import { Ledger } from './ledger/ledger.ts';
import { startSweeper } from './ledger/sweeper.ts';
import { startMailWorker } from './mail/mail-worker.ts';
import { startOidc } from './oidc/start-oidc.ts';
import { startTellingStatus } from './organisation/resource/tell-status.ts';
import type { PriceList } from './pricing/price-list.ts';
import { usdPerEurMicro } from './pricing/rate.ts';
import { startForgetting } from './privacy/forgetting.ts';
import { startReconciler } from './reconcile/reconciler.ts';
import { routes } from './routes/routes.ts';
import type { Services } from './services.ts';
import { startTelemetry } from './telemetry.ts';
import { startRoller } from './usage/roller.ts';

/** Longer than the gateway's three tries of ten minutes; a killed gateway voids its holds itself when it is back. */
const DEFAULT_HOLD_TTL_MS = 3_600_000;
/** Of an installation that was not told where its people are: tests. */
const DEFAULT_PORTAL_URL = 'https://portal.localhost';
/** Where pods of tenants reach a control plane that the chart installed under its own name. */
export const DEFAULT_CLUSTER_URL = 'http://control-plane.cloudfreedom-system.svc:8080';
const MAIL_FROM = 'no-reply@localhost';

export type ControlPlane = {
  readonly url: string;
  readonly port: number;
  readonly databaseUrl: string;
  /** Not ready from now on, answers what is under way, then ends everything it started. */
  readonly stop: () => Promise<void>;
};

export type ControlPlaneOptions = Partial<Omit<Config, 'adminKey' | 'operatorKey'>> &
  Pick<Config, 'adminKey' | 'operatorKey'> & {
    readonly log?: Logger;
    /** Replaces the price list that this release ships. */
    readonly priceList?: PriceList;
    /** Replaces the clock of the ledger. */
    readonly now?: () => Date;
    /** Replaces the first pause before a chat is told once more of a sign-out. */
    readonly logoutPauseMs?: number;
    /** Replaces what a password's hash costs. */
    readonly hashCost?: HashCost;
    /** Every answer is checked against its OpenAPI schema. On unless `main` says otherwise. */
    readonly checkAnswers?: boolean;
    /** Milliseconds between being told to end and taking no new connection. 0 when absent: what tests want. */
    readonly lingerMs?: number;
    /** Replaces limits of callers. */
    readonly quotas?: Partial<Quotas>;
  };

/**
 * Starts a control plane. Without `databaseUrl` and `dataFolder` its data is in a folder that goes with it, and without
 * `port` it listens on any free one of 127.0.0.1: what tests want.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const log = options.log ?? pino({ level: options.logLevel ?? 'silent' });
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const telemetry = await startTelemetry(options.otlpEndpoint);
    undo.push(telemetry.stop);
    const folder = options.dataFolder ?? (await temporaryFolder(undo));
    const databaseUrl = options.databaseUrl ?? (await embedded(folder, options, log, undo)).url;
    const pool = openPool({ url: databaseUrl, onError: (err) => log.warn({ err }, 'a database connection was lost') });
    undo.push(() => pool.end());
    const applied = await migrate(pool);
    if (applied.length > 0) log.info({ applied }, 'database migrated');
    const rate = options.rate ?? { usdPerEurMicro: usdPerEurMicro('1.1590'), day: '2026-11-20' };
    await storeRate(pool, { ...rate, source: 'configuration' });
    await storePriceList(pool, options.priceList ?? (await shippedPriceList()));
    const ledger = new Ledger(pool, options.now);
    const metrics = createMetrics(pool);
    undo.push(startSweeper(ledger, metrics, log));
    const now = options.now ?? (() => new Date());
    const portalUrl = options.portalUrl ?? DEFAULT_PORTAL_URL;
    const clusterUrl = options.clusterUrl ?? DEFAULT_CLUSTER_URL;
    const topUpUrl = options.topUpUrl ?? `${portalUrl}/top-up`;
    // Without a key given, what is sealed is lost with the process: its database is, too, or it is a test's.
    const vault = openVault(options.encryptionKey ?? randomBytes(32).toString('base64url'));
    await sealWebhookSecrets(pool, vault);
    const webhookTrustedHosts = options.webhookTrustedHosts ?? [];
    const bell = new Bell(databaseUrl, log);
    undo.push(() => bell.stop());
    await bell.start();
    const fileDriver = await openFileDriver(options.s3, join(folder, 'files'), log);
    undo.push(startFileSweeper(pool, fileDriver, log));
    const keyUse = new KeyUse(pool, now);
    undo.push(startKeyUse(keyUse, log));
    const revokedKeys = new RevokedKeys(pool);
    undo.push(await startRevokedKeys(revokedKeys, bell, log));
    const tokens = new ServiceTokens(new TokenKeys(pool, vault, now), revokedKeys, portalUrl, now);
    const mailer =
      options.smtpUrl === undefined ? undefined : openMailer(options.smtpUrl, options.mailFrom ?? MAIL_FROM);
    undo.push(async () => mailer?.close());
    const deliver = deliverAlerts({ mailer, vault, topUpUrl, trustedHosts: webhookTrustedHosts });
    undo.push(startDeliveryWorker({ pool, bell, deliver, metrics, log }));
    undo.push(startMailWorker({ pool, vault, bell, mailer, metrics, log }));
    const platformAdmins = options.platformAdmins ?? [];
    await appointPlatformAdmins(pool, platformAdmins);
    undo.push(startTidying(pool, log));
    undo.push(startReconciler({ pool, metrics, log, now }));
    undo.push(startRoller(pool, log));
    undo.push(startAuditRetention(pool, log));
    undo.push(startForgetting(pool, log));
    const tenantResources = await openTenantResources(options.kubernetes ?? 'off', log, metrics.registry);
    if (tenantResources !== undefined) {
      undo.push(tenantResources.stop);
      undo.push(startTellingStatus(pool, tenantResources, log));
      undo.push(startKubernetesAudit(pool, tenantResources, log));
    }
    undo.push(startTeller(pool, log));
    undo.push(startUpkeep(pool, log));
    const shutdown = new AbortController();
    const services: Services = {
      pool,
      catalogue: new Catalogue(pool),
      ledger,
      leases: new Leases(pool, options.now),
      metrics,
      log,
      bell,
      vault,
      files: new Files(pool, fileDriver),
      keyUse,
      tokens,
      passwords: new Passwords(options.hashCost),
      throttle: new Throttle(pool, vault),
      providers: openProviders(options.identityProviders ?? {}),
      platformAdmins,
      portalUrl,
      tenantResources,
      topUpUrl,
      webhookTrustedHosts,
      now,
      holdTtlMs: options.holdTtlMs ?? DEFAULT_HOLD_TTL_MS,
      draining: () => shutdown.signal.aborted,
      shutdown: shutdown.signal,
    };
    const keys = { admin: hashSecret(options.adminKey), operator: hashSecret(options.operatorKey) };
    const proxies = trustedProxies(options.trustedProxies ?? []);
    const limits = new RateLimits(pool, log, options.quotas);
    const pipeline = {
      services,
      keys,
      telemetry,
      proxies,
      limits,
      conditionalWrites: new ConditionalWrites(pool),
      reads: new Map(routes.filter(({ method }) => method === 'get').map((route) => [route.path, route])),
      checkAnswers: options.checkAnswers ?? true,
    };
    const oidc = startOidc({ ...services, proxies, limits, clusterUrl, logoutPauseMs: options.logoutPauseMs });
    undo.push(oidc.stop);
    const beside = { mounts: [oidc.mount, docsPage(log)], pages: servePortal(options.portalFolder) };
    const where = { host: options.host ?? '127.0.0.1', port: options.port ?? 0 };
    const server = await listen(pipeline, routes, beside, where);
    undo.push(server.close);
    undo.push(async () => {
      shutdown.abort();
      // Not ready any more, but still answering: until everybody who balances load has noticed, requests go on coming.
      if (options.lingerMs) await sleep(options.lingerMs);
    });
    return { url: server.url, port: server.port, databaseUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function temporaryFolder(undo: (() => Promise<unknown>)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudfreedom-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  // Root's Postgres runs as another account, which has to get through to its own folder inside.
  await chmod(folder, 0o711);
  return folder;
}

async function embedded(
  folder: string,
  options: ControlPlaneOptions,
  log: Logger,
  undo: (() => Promise<unknown>)[],
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    temporary: options.dataFolder === undefined,
    onLog: (line) => log.debug({ postgres: line }, 'postgres'),
  });
  undo.push(postgres.stop);
  return postgres;
}
