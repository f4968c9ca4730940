import { SESSION_DAYS } from './sessions.ts';

/**
 * `__Host-`: browsers take it over HTTPS only, for exactly this host and all of its paths, so neither a tenant's
 * subdomain nor a network can put one there. Lax: a link from a mail arrives signed in; another site's form does not.
 */
export const SESSION_COOKIE = '__Host-cloudfreedom';
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const SECONDS_PER_DAY = 86_400;

/** The Set-Cookie that signs a browser in. */
export function sessionCookie(token: string): string {
  return `${SESSION_COOKIE}=${token}; ${ATTRIBUTES}; Max-Age=${SESSION_DAYS * SECONDS_PER_DAY}`;
}

/** The Set-Cookie that signs a browser out. */
export function noSessionCookie(): string {
  return `${SESSION_COOKIE}=; ${ATTRIBUTES}; Max-Age=0`;
}
