import { createHash, timingSafeEqual } from 'node:crypto';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { TenantRecord } from '../catalogue/tenant-record.ts';
import { HttpProblem } from './problem.ts';
import type { Access } from './route.ts';

/** Who calls. */
export type Principal =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'admin' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'gateway'; readonly tenant: TenantRecord };

/** The sha-256 of the two service keys; the keys themselves are not kept. */
export type ServiceKeys = { readonly admin: Buffer; readonly operator: Buffer };

const ANONYMOUS: Principal = { kind: 'anonymous' };
/** No header longer than this is looked at. */
const MAX_AUTHORIZATION_LENGTH = 512;

export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Which kinds of caller each access admits. */
const ADMITS: Record<Access, readonly Principal['kind'][]> = {
  public: ['anonymous', 'admin', 'operator', 'gateway'],
  operator: ['operator', 'admin'],
  admin: ['admin'],
  gateway: ['gateway'],
};

/**
 * Finds out who calls and whether they may.
 * @throws HttpProblem 401 without a known key, 403 with one that is for something else
 */
export async function authenticate(
  authorization: string | undefined,
  access: Access,
  keys: ServiceKeys,
  catalogue: Catalogue,
): Promise<Principal> {
  if (access === 'public') return ANONYMOUS;
  const principal = await principalOf(authorization, keys, catalogue);
  if (principal === undefined) {
    throw new HttpProblem(401, 'key_unknown', 'send a valid key as "Authorization: Bearer <key>"');
  }
  if (!ADMITS[access].includes(principal.kind)) {
    throw new HttpProblem(403, 'key_not_allowed', `this key is for another part of the API; ${NEEDED[access]}`);
  }
  return principal;
}

const NEEDED: Record<Access, string> = {
  public: '',
  operator: 'this needs the operator key or the admin key',
  admin: 'this needs the admin key',
  gateway: "this needs a tenant's gateway credential",
};

async function principalOf(
  authorization: string | undefined,
  keys: ServiceKeys,
  catalogue: Catalogue,
): Promise<Principal | undefined> {
  if (authorization === undefined || authorization.length > MAX_AUTHORIZATION_LENGTH) return undefined;
  const secret = /^bearer ([\x21-\x7e]+)$/i.exec(authorization)?.[1];
  if (secret === undefined) return undefined;
  const hash = hashSecret(secret);
  // Both are compared, always: which of the two it was does not show in the time it takes.
  const isAdmin = timingSafeEqual(hash, keys.admin);
  const isOperator = timingSafeEqual(hash, keys.operator);
  if (isAdmin) return { kind: 'admin' };
  if (isOperator) return { kind: 'operator' };
  const tenant = await catalogue.tenantOfCredential(hash);
  return tenant === undefined ? undefined : { kind: 'gateway', tenant };
}
