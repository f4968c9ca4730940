import type { Account } from './account.ts';
import type { Grant } from './authorization.ts';
import type { Client } from './client.ts';
import { createSigningKey, forged, type SigningKey, unsigned } from './signing-key.ts';

/** Seconds an id_token is good for. */
const ID_TOKEN_TTL_SECONDS = 300;

/** Where a provider of OpenID Connect has its endpoints, under its own path. */
export type OpenIdPaths = {
  readonly authorize: string;
  readonly token: string;
  readonly keys: string;
  readonly userinfo: string;
};

export const GOOGLE_PATHS: OpenIdPaths = {
  authorize: '/o/oauth2/v2/auth',
  token: '/token',
  keys: '/oauth2/v3/certs',
  userinfo: '/v1/userinfo',
};
export const GITLAB_PATHS: OpenIdPaths = {
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  keys: '/oauth/discovery/keys',
  userinfo: '/oauth/userinfo',
};

/** One provider's keys: its own, and one that nobody published. */
export type OpenIdKeys = { readonly own: SigningKey; readonly foreign: SigningKey };

export function createOpenIdKeys(): OpenIdKeys {
  return { own: createSigningKey(), foreign: createSigningKey() };
}

/** The document under /.well-known/openid-configuration. */
export function discoveryDocument(issuer: string, paths: OpenIdPaths): object {
  return {
    issuer,
    authorization_endpoint: issuer + paths.authorize,
    token_endpoint: issuer + paths.token,
    jwks_uri: issuer + paths.keys,
    userinfo_endpoint: issuer + paths.userinfo,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'email', 'profile'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    code_challenge_methods_supported: ['S256'],
  };
}

/** The id_token for a redeemed code, with the fault that the account asked for. */
export function idToken(issuer: string, client: Client, keys: OpenIdKeys, grant: Grant): string {
  const { account, request } = grant;
  const now = Math.floor(Date.now() / 1000) - (account.fault === 'expired' ? 2 * ID_TOKEN_TTL_SECONDS : 0);
  const claims = {
    iss: issuer,
    aud: account.fault === 'foreign_audience' ? 'the-client-of-somebody-else' : client.id,
    sub: account.subject,
    iat: now,
    exp: now + ID_TOKEN_TTL_SECONDS,
    nonce: account.fault === 'foreign_nonce' ? 'the-nonce-of-somebody-else' : request.nonce,
    email: account.email,
    email_verified: account.verified,
  };
  if (account.fault === 'unsigned') return unsigned(claims);
  return account.fault === 'foreign_key' ? forged(keys.foreign, claims, keys.own) : keys.own.sign(claims);
}

/** What the userinfo endpoint says; the name is only here, as at GitLab. */
export function userinfo(account: Account): object {
  return { sub: account.subject, email: account.email, email_verified: account.verified, name: account.name };
}
