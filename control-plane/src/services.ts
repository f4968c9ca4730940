import type pg from 'pg';
import type { Logger } from 'pino';
import type { Catalogue } from './catalogue/catalogue.ts';
import type { Vault } from './crypto/vault.ts';
import type { Bell } from './events/bell.ts';
import type { Files } from './files/files.ts';
import type { Metrics } from './http/metrics.ts';
import type { Passwords } from './identity/password.ts';
import type { Provider } from './identity/social/provider.ts';
import type { ProviderName } from './identity/social/settings.ts';
import type { Throttle } from './identity/throttle.ts';
import type { KeyUse } from './keys/key-use.ts';
import type { ServiceTokens } from './keys/service-tokens.ts';
import type { TenantResources } from './kubernetes/tenant-resources.ts';
import type { Leases } from './ledger/leases.ts';
import type { Ledger } from './ledger/ledger.ts';

/** Everything an operation works with. Made once at start and handed down; nothing here is global. */
export type Services = {
  readonly pool: pg.Pool;
  readonly catalogue: Catalogue;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly metrics: Metrics;
  /** Rings when the database has something new for those who wait. */
  readonly bell: Bell;
  readonly log: Logger;
  /** Seals secrets that have to be read again. */
  readonly vault: Vault;
  /** Logos, exports and invoices of tenants. */
  readonly files: Files;
  /** Remembers when keys were used. */
  readonly keyUse: KeyUse;
  /** Gives and reads the tokens of machines. */
  readonly tokens: ServiceTokens;
  /** Hashes and compares passwords, a few at a time. */
  readonly passwords: Passwords;
  /** Slows down who guesses, for all replicas together. */
  readonly throttle: Throttle;
  /** Where people may sign in with accounts they have elsewhere; those that are configured. */
  readonly providers: ReadonlyMap<ProviderName, Provider>;
  /** Addresses of people who administer the platform, in lower case. */
  readonly platformAdmins: readonly string[];
  /** Where people are: pages, API and OpenID provider, such as https://portal.example.org. */
  readonly portalUrl: string;
  /** The Tenant resources of the cluster; undefined where the control plane runs without one. */
  readonly tenantResources: TenantResources | undefined;
  /** Where a tenant tops up; goes into refusals. */
  readonly topUpUrl: string;
  /** host:port that webhooks may call in private networks and without TLS. */
  readonly webhookTrustedHosts: readonly string[];
  readonly now: () => Date;
  /** How long a hold lives when neither settlement nor void arrives. */
  readonly holdTtlMs: number;
  /** The process is shutting down: not ready any more, but still answering. */
  readonly draining: () => boolean;
  /** Aborted at the same time: what would never end by itself ends now. */
  readonly shutdown: AbortSignal;
};
