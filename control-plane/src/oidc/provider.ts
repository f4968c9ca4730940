import type { EventEmitter } from 'node:events';
import Provider, { type KoaContextWithOIDC, type Session } from 'oidc-provider';
import type { Logger } from 'pino';
import { isSecretOf } from './client-secret.ts';
import { clusterDiscovery } from './cluster-discovery.ts';
import { configuration, type ProviderParts } from './configuration.ts';
import { PAGE_SECURITY } from './pages.ts';
import { portalSession } from './portal-session.ts';
import { endPortalSession } from './sign-out.ts';
import type { SigningKey } from './signing-keys.ts';

export type MakeProviderParts = ProviderParts & {
  readonly issuer: string;
  /** Where pods of the cluster reach us. */
  readonly clusterUrl: string;
  readonly log: Logger;
};

/** One provider with one set of keys. Another set is another provider: the library reads its keys once. */
export function makeProvider(parts: MakeProviderParts, keys: readonly SigningKey[]): Provider {
  const provider = new Provider(parts.issuer, configuration(parts, keys));
  // The mount has said what the proxy's headers are to be; nothing from outside is left of them.
  provider.proxy = true;
  // Only hashes of secrets are known here; see ClientAdapter.
  provider.Client.prototype.compareClientSecret = function compareClientSecret(secret: string): boolean {
    return isSecretOf(this.clientSecret ?? '', secret);
  };
  // The database has noted whom to tell by then, and the worker tells them: see 0017-oidc.sql and logout-worker.ts.
  provider.Client.prototype.backchannelLogout = async () => undefined;
  const failed = (err: unknown) => parts.log.error({ err }, 'the OpenID provider failed');
  provider.on('server_error', (_ctx, err) => failed(err));
  (provider as EventEmitter).on('error', failed);
  provider.use(async (ctx, next) => {
    ctx.set(PAGE_SECURITY);
    await next();
  });
  provider.use(clusterDiscovery(parts.issuer, parts.clusterUrl));
  provider.use(async (ctx, next) => {
    // Whoever has left the portal, or come back to it as somebody else, is not let in by what we remember of them.
    if (ctx.path === '/auth') await forgetOthers(provider, parts, ctx as unknown as KoaContextWithOIDC);
    await next();
    const signedOut = accountSignedOut(ctx as unknown as KoaContextWithOIDC);
    if (signedOut !== undefined) await endPortalSession(parts.pool, ctx as unknown as KoaContextWithOIDC, signedOut);
  });
  return provider;
}

/** Whose session the library has just ended because they wanted it; a request it turned down has ended none. */
function accountSignedOut({ oidc }: Partial<KoaContextWithOIDC>): string | undefined {
  const session = oidc?.session as (Session & { readonly destroyed?: boolean }) | undefined;
  return oidc?.route === 'end_session_confirm' && session?.destroyed ? session.accountId : undefined;
}

async function forgetOthers(provider: Provider, { pool }: ProviderParts, ctx: KoaContextWithOIDC): Promise<void> {
  const session = await provider.Session.get(ctx);
  if (session.accountId === undefined) return;
  const signedIn = await portalSession(pool, ctx.req);
  if (signedIn?.person.id !== session.accountId) await session.destroy();
}
