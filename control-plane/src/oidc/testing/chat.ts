import { randomBytes } from 'node:crypto';
import * as openid from 'openid-client';
import type { TenantRegistration } from '../../catalogue/registrations.ts';
import { PORTAL_URL } from '../../testing/api.ts';
import { sha256Hex } from '../../testing/registrations.ts';
import type { Browser, Page, Replica } from './browser.ts';

/** A tenant's chat as a client of the provider, spoken by the strict library of npm. */
export type Chat = {
  readonly clientId: string;
  readonly secret: string;
  readonly redirectUri: string;
  /** For `api.tenant`. */
  readonly registration: NonNullable<TenantRegistration['oidc']>;
  readonly configure: (discovery?: string) => Promise<openid.Configuration>;
};

export const ISSUER = `${PORTAL_URL}/oidc`;

/** Everything that leads to the portal goes to the replica of the moment. */
export function fetchFrom(replica: Replica): typeof fetch {
  return (address, options) => {
    const url = new URL(String(address));
    return fetch(replica() + url.pathname + url.search, options);
  };
}

export function chatOf(tenant: string, replica: Replica, backchannelLogoutUrl = 'http://127.0.0.1:9/'): Chat {
  const secret = `cfoc-${randomBytes(32).toString('base64url')}`;
  const clientId = `tenant-${tenant}`;
  const host = `${tenant}.example.test`;
  return {
    clientId,
    secret,
    redirectUri: `https://${host}/oauth/oidc/callback`,
    registration: { clientSecretSha256: sha256Hex(secret), hosts: [host], backchannelLogoutUrl },
    configure: (discovery = ISSUER) =>
      openid.discovery(new URL(discovery), clientId, secret, openid.ClientSecretBasic(secret), {
        [openid.customFetch]: fetchFrom(replica) as openid.CustomFetch,
      }),
  };
}

/** A sign-in that a chat has begun: what it remembers, and where it sends the browser. */
export type Begun = {
  readonly url: URL;
  readonly checks: {
    readonly pkceCodeVerifier: string;
    readonly expectedState: string;
    readonly expectedNonce: string;
  };
};

export async function begin(
  chat: Chat,
  config: openid.Configuration,
  more: Record<string, string> = {},
): Promise<Begun> {
  const checks = {
    pkceCodeVerifier: openid.randomPKCECodeVerifier(),
    expectedState: openid.randomState(),
    expectedNonce: openid.randomNonce(),
  };
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: chat.redirectUri,
    scope: 'openid email profile',
    code_challenge: await openid.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  });
  return { url, checks };
}

/** The whole way: to the provider, back with a code, and to tokens. @throws what the library finds wrong */
export async function signInTo(chat: Chat, config: openid.Configuration, browser: Browser, more = {}) {
  const { url, checks } = await begin(chat, config, more);
  const page = await browser.open(url);
  return openid.authorizationCodeGrant(config, cameBack(chat, page), { ...checks, idTokenExpected: true });
}

/** The address with which a browser came back to the chat. */
export function cameBack(chat: Chat, page: Page): URL {
  if (!page.url.href.startsWith(chat.redirectUri)) {
    throw new Error(`the browser did not come back to the chat but to ${page.url.href}: ${page.status} ${page.body}`);
  }
  return page.url;
}

/** What the token endpoint says to one request, as it comes over the wire. */
export type TokenAnswer = { readonly status: number; readonly body: Record<string, string> };

/** Asks the token endpoint by hand: what a library would never send can be tried so. */
export async function askForTokens(
  replica: Replica,
  chat: Pick<Chat, 'clientId' | 'secret'>,
  form: Record<string, string>,
): Promise<TokenAnswer> {
  const basic = Buffer.from(`${encodeURIComponent(chat.clientId)}:${encodeURIComponent(chat.secret)}`);
  const answer = await fetch(`${replica()}/oidc/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic.toString('base64')}` },
    body: new URLSearchParams(form),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

/** A code that was just handed to the chat, and the form with which it is redeemed. */
export async function codeFor(chat: Chat, config: openid.Configuration, browser: Browser) {
  const { url, checks } = await begin(chat, config);
  const code = cameBack(chat, await browser.open(url)).searchParams.get('code');
  if (code === null) throw new Error('the chat was given no code');
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: chat.redirectUri,
    code_verifier: checks.pkceCodeVerifier,
  };
  return { code, form, checks };
}
