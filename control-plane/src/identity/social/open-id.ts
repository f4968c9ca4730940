import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from 'openid-client';
import { provedIdentity } from './proved-identity.ts';
import { IncompleteIdentity, isLoopback, PROVIDER_TIMEOUT_SECONDS, type Provider } from './provider.ts';
import type { OpenIdSettings, ProviderName } from './settings.ts';

const SCOPE = 'openid email profile';
/** Milliseconds after which a provider is asked again where its endpoints are. */
const DISCOVERY_TTL_MS = 3_600_000;

/**
 * A provider of OpenID Connect: Google and GitLab.
 * @param more what else it is asked with; GitLab answers a `prompt=select_account` with an error
 */
export function openIdProvider(
  name: ProviderName,
  settings: OpenIdSettings,
  more: Record<string, string> = {},
): Provider {
  const configuration = discovered(settings);
  return {
    name,
    authorizationUrl: async (redirectUri, { state, nonce, codeVerifier }) =>
      buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...more,
      }),
    prove: async (callback, { state, nonce, codeVerifier }) => {
      const config = await configuration();
      const tokens = await authorizationCodeGrant(config, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new IncompleteIdentity(`${name} sent no id_token`);
      // GitLab's id_token has no name, and neither need have an address.
      const { email, email_verified, name: called } = await fetchUserInfo(config, tokens.access_token, claims.sub);
      if (email === undefined) throw new IncompleteIdentity(`${name} told no address`);
      const emailVerified = email_verified === true;
      return provedIdentity(name, { subject: claims.sub, email, emailVerified, name: called ?? '' });
    },
  };
}

/** Asks for the endpoints when they are first needed, and again after a while or a failure: a provider may be away at start. */
function discovered(settings: OpenIdSettings): () => Promise<Configuration> {
  let known: { configuration: Promise<Configuration>; until: number } | undefined;
  return () => {
    if (known === undefined || known.until < Date.now()) {
      const configuration = discover(settings);
      const entry = { configuration, until: Date.now() + DISCOVERY_TTL_MS };
      known = entry;
      configuration.catch(() => {
        if (known === entry) known = undefined;
      });
    }
    return known.configuration;
  };
}

async function discover({ issuer, clientId, clientSecret }: OpenIdSettings): Promise<Configuration> {
  const server = new URL(issuer);
  return discovery(server, clientId, clientSecret, ClientSecretPost(clientSecret), {
    timeout: PROVIDER_TIMEOUT_SECONDS,
    // Without the second, the signature of an id_token that came over TLS would be taken on trust.
    execute: [...(isLoopback(server) ? [allowInsecureRequests] : []), enableNonRepudiationChecks],
  });
}
