import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { ProviderName } from './settings.ts';

/** Seconds a provider has for each of its answers. */
export const PROVIDER_TIMEOUT_SECONDS = 10;

/** What one visit to a provider is held together by. All of it is made anew for each. */
export type VisitSecrets = { readonly state: string; readonly nonce: string; readonly codeVerifier: string };

/** Who somebody is at a provider, as far as the provider proved it. */
export type ProvedIdentity = {
  readonly provider: ProviderName;
  /** What never changes there. */
  readonly subject: string;
  readonly email: string;
  /** Whether the provider itself verified the address. What it does not say outright is not so. */
  readonly emailVerified: boolean;
  readonly name: string;
};

/** Why nobody was proved. */
export type Unproven =
  /** The person, or the provider, said no. */
  | 'denied'
  /** Its answer does not hold: a wrong or used code, a foreign signature, nonce or audience. */
  | 'not_proved'
  /** It does not answer. */
  | 'provider_away';

/** One configured provider. */
export type Provider = {
  readonly name: ProviderName;
  /** Where the browser is sent. @throws what `unprovenBy` sorts */
  readonly authorizationUrl: (redirectUri: string, secrets: VisitSecrets) => Promise<URL>;
  /** Redeems what the browser came back with. @throws what `unprovenBy` sorts */
  readonly prove: (callback: URL, secrets: VisitSecrets) => Promise<ProvedIdentity>;
};

/** Thrown when a provider's answer is in order but does not say enough. */
export class IncompleteIdentity extends Error {}

/** Sorts what a provider's conversation threw. @throws the error itself when it is a bug of ours */
export function unprovenBy(error: unknown): Unproven {
  if (error instanceof AuthorizationResponseError) return error.error === 'access_denied' ? 'denied' : 'not_proved';
  if (error instanceof ClientError && error.code === 'OAUTH_TIMEOUT') return 'provider_away';
  if (error instanceof ClientError && isServerFault(error.cause)) return 'provider_away';
  // What fetch throws where there is no connection or no certificate it trusts.
  if (error instanceof TypeError && error.message === 'fetch failed') return 'provider_away';
  const isAnswer =
    error instanceof ClientError ||
    error instanceof ResponseBodyError ||
    error instanceof WWWAuthenticateChallengeError ||
    error instanceof IncompleteIdentity;
  if (isAnswer) return 'not_proved';
  throw error;
}

function isServerFault(cause: unknown): boolean {
  return cause instanceof Response && cause.status >= 500;
}

/** A loopback address is a developer's or a test's: only there may a provider be without TLS. */
export function isLoopback(url: URL): boolean {
  return url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
}
