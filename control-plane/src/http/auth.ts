import { createHash, timingSafeEqual } from 'node:crypto';
import type { TenantRecord } from '../catalogue/tenant-record.ts';
import { SESSION_COOKIE } from '../identity/session/session-cookie.ts';
import { readSession, type SignedIn } from '../identity/session/sessions.ts';
import { findKey } from '../keys/find-key.ts';
import type { Scope } from '../keys/scopes.ts';
import type { Services } from '../services.ts';
import { HttpProblem } from './problem.ts';

/** Who calls. */
export type Principal =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'admin' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'gateway'; readonly tenant: TenantRecord }
  /** A person, signed in at the portal. */
  | ({ readonly kind: 'person' } & SignedIn)
  /** One of a tenant's keys; with a person, whose key it is. */
  | ({ readonly kind: 'key'; readonly personId: string | undefined } & OfKey)
  /** A machine, by a token that one of a tenant's keys was exchanged for. */
  | ({ readonly kind: 'service' } & OfKey);

type OfKey = {
  readonly keyId: string;
  /** The name of the tenant whose key it is. */
  readonly tenant: string;
  /** What it may do at this moment. */
  readonly scopes: readonly Scope[];
};

/** The sha-256 of the two service keys; the keys themselves are not kept. */
export type ServiceKeys = { readonly admin: Buffer; readonly operator: Buffer };

/** What of a request tells who calls. */
export type Credentials = {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly cookies: ReadonlyMap<string, string>;
};

export const ANONYMOUS: Principal = { kind: 'anonymous' };
/** No header longer than this is looked at: a JWT of ours has less. */
const MAX_AUTHORIZATION_LENGTH = 4_096;
/** How every key begins that a tenant is issued. */
const KEY_PREFIX = 'cf-';
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
/** Methods that change nothing, which other sites' links may therefore call. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/**
 * Finds out who calls. A bearer token wins over a cookie, and a wrong one is not made up for by it.
 * @returns undefined where there is no valid credential
 * @throws HttpProblem 403 where a browser was sent here by another site
 */
export async function identify(
  credentials: Credentials,
  services: Services,
  keys: ServiceKeys,
): Promise<Principal | undefined> {
  if (credentials.authorization !== undefined) return principalOfBearer(credentials.authorization, services, keys);
  const token = credentials.cookies.get(SESSION_COOKIE);
  if (token === undefined) return undefined;
  const signedIn = await readSession(services.pool, token);
  if (signedIn === undefined) return undefined;
  refuseOtherSites(credentials, services.portalUrl, true);
  return { kind: 'person', ...signedIn };
}

/**
 * Another site's form or script may make a browser send our cookies along: what changes something must come from the
 * portal's own pages. Without a cookie a foreign Origin is still refused, so that nobody is signed in as somebody else.
 */
export function refuseOtherSites(
  { method, origin, fetchSite }: Pick<Credentials, 'method' | 'origin' | 'fetchSite'>,
  portalUrl: string,
  hasCookie: boolean,
): void {
  if (SAFE_METHODS.has(method)) return;
  const own =
    origin !== undefined
      ? origin === new URL(portalUrl).origin
      : fetchSite === undefined
        ? !hasCookie
        : fetchSite === 'same-origin';
  if (own) return;
  const detail = 'this call was begun by another site; open the portal and try there';
  throw new HttpProblem(403, 'cross_site', detail);
}

async function principalOfBearer(
  authorization: string,
  services: Services,
  keys: ServiceKeys,
): Promise<Principal | undefined> {
  if (authorization.length > MAX_AUTHORIZATION_LENGTH) return undefined;
  const secret = /^bearer ([\x21-\x7e]+)$/i.exec(authorization)?.[1];
  if (secret === undefined) return undefined;
  const hash = hashSecret(secret);
  // Both are compared, always: which of the two it was does not show in the time it takes.
  const isAdmin = timingSafeEqual(hash, keys.admin);
  const isOperator = timingSafeEqual(hash, keys.operator);
  if (isAdmin) return { kind: 'admin' };
  if (isOperator) return { kind: 'operator' };
  if (secret.startsWith(KEY_PREFIX)) {
    const key = await findKey(services.pool, hash);
    if (key !== undefined) services.keyUse.note(hash.toString('hex'));
    return key && { kind: 'key', ...key };
  }
  if (JWT.test(secret)) {
    const subject = await services.tokens.read(secret);
    return subject && { kind: 'service', ...subject };
  }
  const tenant = await services.catalogue.tenantOfCredential(hash);
  return tenant === undefined ? undefined : { kind: 'gateway', tenant };
}
