import { type Configuration, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type pg from 'pg';
import type { Vault } from '../crypto/vault.ts';
import { admission } from './admission.ts';
import { accountOf, CLAIMS } from './claims.ts';
import { ClientAdapter, tenantOfClient } from './client-adapter.ts';
import { grantOfSignIn } from './grants.ts';
import { errorPage } from './pages.ts';
import { RecordAdapter } from './record-adapter.ts';
import { signInStands } from './sign-ins.ts';
import { languageOf, logoutPages } from './sign-out.ts';
import type { SigningKey } from './signing-keys.ts';

/** Where a browser is sent that has to sign in first; see interaction.ts. */
export const INTERACTION_PATH = '/oidc/interaction';

/** Seconds each of these lives. What follows from a sign-in ends with the portal's session, whatever this says. */
const TTL = {
  AuthorizationCode: 60,
  AccessToken: 900,
  IdToken: 3_600,
  Interaction: 3_600,
  RefreshToken: 14 * 86_400,
  Grant: 30 * 86_400,
  Session: 30 * 86_400,
} as const;

export type ProviderParts = {
  readonly pool: pg.Pool;
  readonly vault: Vault;
  readonly portalUrl: string;
};

/** How the library is to behave: code and PKCE only, for clients we know, for people the tenant lets in. */
export function configuration(parts: ProviderParts, keys: readonly SigningKey[]): Configuration {
  const { pool, vault, portalUrl } = parts;
  const clients = new ClientAdapter(pool, portalUrl);
  // A portal without encryption is a developer's: no browser would take these cookies of it.
  const secure = portalUrl.startsWith('https:');
  const prefix = secure ? '__Secure-cloudfreedom' : 'cloudfreedom';
  const cookie = { httpOnly: true, secure, sameSite: 'lax', signed: true } as const;
  return {
    // The library takes the adapter of its clients for a whole one; of it, it only ever calls `find`.
    adapter: (model) => (model === 'Client' ? (clients as unknown as RecordAdapter) : new RecordAdapter(pool, model)),
    jwks: { keys: keys.map(({ jwk }) => jwk) },
    cookies: {
      names: {
        session: `${prefix}-oidc`,
        interaction: `${prefix}-oidc-sign-in`,
        resume: `${prefix}-oidc-resume`,
      },
      keys: [vault.mac('oidc-cookies', portalUrl).toString('base64url')],
      long: { ...cookie, path: '/oidc' },
      // Each with the path of its own sign-in, so that two windows do not disturb each other.
      short: cookie,
    },
    claims: CLAIMS,
    scopes: ['openid'],
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    pkce: { required: () => true },
    // Chats read name, address and roles from the ID token.
    conformIdTokenClaims: false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => true,
    ttl: TTL,
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true },
      // It makes the library put `sid` into ID tokens. Logout tokens are sent by a worker of ours, which never forgets one.
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, ...logoutPages(portalUrl) },
    },
    interactions: {
      policy: policy(),
      url: (_ctx, { uid }) => `${INTERACTION_PATH}/${uid}`,
    },
    findAccount: async (ctx, sub, token) => {
      const tenant = tenantOfClient(ctx.oidc.client?.clientId ?? '');
      if (tenant === undefined) return undefined;
      // A token is only as good as the portal session that it began with.
      if (token !== undefined && !(await signInStands(pool, token.grantId ?? ''))) return undefined;
      const { admitted } = await admission(pool, tenant, sub);
      return admitted && accountOf(admitted);
    },
    loadExistingGrant: (ctx) => grantOfSignIn(pool, ctx),
    renderError: (ctx, out) => {
      ctx.type = 'html';
      const error = { code: out.error, text: out.error_description ?? '' };
      ctx.body = errorPage(languageOf(ctx), portalUrl, error);
    },
  };
}

/** First party: nobody is asked for consent. Whoever the tenant does not let in has to come by, and is told why not. */
function policy(): interactionPolicy.DefaultPolicy {
  const base = interactionPolicy.base();
  base.remove('consent');
  const notAdmitted = (ctx: KoaContextWithOIDC) =>
    ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined;
  const check = new interactionPolicy.Check(
    'not_admitted',
    'the chat does not let you in',
    'access_denied',
    notAdmitted,
  );
  base.get('login')?.checks.add(check);
  return base;
}
