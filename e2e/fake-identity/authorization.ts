import { createHash, randomBytes } from 'node:crypto';
import type { Account } from './account.ts';
import type { Client } from './client.ts';

/** Milliseconds a code may be redeemed. */
const CODE_TTL_MS = 60_000;
const MIN_VERIFIER_LENGTH = 43;

/** What a client asks for when it sends a browser here. */
export type AuthorizationRequest = {
  readonly redirectUri: string;
  readonly state: string;
  readonly scope: string;
  readonly nonce: string | undefined;
  readonly codeChallenge: string;
};

/** A code given out, with everything its redemption is held against. */
export type Grant = { readonly request: AuthorizationRequest; readonly account: Account; readonly expiresAt: number };

/** Reads a request; a text says why it is refused. Nothing is ever sent to an address that is not the client's. */
export function authorizationRequestOf(client: Client, query: URLSearchParams): AuthorizationRequest | string {
  const redirectUri = query.get('redirect_uri') ?? '';
  const state = query.get('state') ?? '';
  const codeChallenge = query.get('code_challenge') ?? '';
  if (query.get('client_id') !== client.id) return 'client_id is not known here';
  if (!client.redirectUris.includes(redirectUri)) return 'redirect_uri is not registered for this client';
  if (query.get('response_type') !== 'code') return 'response_type must be code';
  if (state === '') return 'state is missing';
  if (query.get('code_challenge_method') !== 'S256' || codeChallenge === '') return 'PKCE with S256 is required';
  return {
    redirectUri,
    state,
    scope: query.get('scope') ?? '',
    nonce: query.get('nonce') ?? undefined,
    codeChallenge,
  };
}

/** Codes and access tokens, each good for one thing: a code is gone with its first redemption, right or wrong. */
export class Grants {
  readonly #codes = new Map<string, Grant>();
  readonly #tokens = new Map<string, Grant>();

  /** A code for an account. */
  issueCode(request: AuthorizationRequest, account: Account): string {
    const code = randomBytes(24).toString('base64url');
    this.#codes.set(code, { request, account, expiresAt: Date.now() + CODE_TTL_MS });
    return code;
  }

  /** Redeems a code; undefined when it is unknown, used, overdue, or not this redirect_uri's or verifier's. */
  redeem(form: URLSearchParams): Grant | undefined {
    const code = form.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    if (grant === undefined || grant.expiresAt < Date.now()) return undefined;
    if (form.get('redirect_uri') !== grant.request.redirectUri) return undefined;
    const verifier = form.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    return verifier.length >= MIN_VERIFIER_LENGTH && challenge === grant.request.codeChallenge ? grant : undefined;
  }

  /** An access token for what a code stood for. */
  issueToken(grant: Grant): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.set(token, grant);
    return token;
  }

  /** Whose token an Authorization header carries. */
  accountOfToken(authorization: string | undefined): Account | undefined {
    const token = /^bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    return token === undefined ? undefined : this.#tokens.get(token)?.account;
  }
}
