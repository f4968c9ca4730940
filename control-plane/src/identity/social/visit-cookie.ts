import { VISIT_MINUTES } from './visits.ts';

/** Tells that the browser that comes back from a provider is the one that was sent there. Lax: it comes by a link. */
export const VISIT_COOKIE = '__Host-cloudfreedom-visit';
const BROWSER_SECRET = /^[\w-]{43}$/;

export function visitCookie(browser: string): string {
  return `${VISIT_COOKIE}=${browser}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${VISIT_MINUTES * 60}`;
}

/** The browser's secret, where it has one that looks like ours. Several tabs share it. */
export function browserOf(cookies: ReadonlyMap<string, string>): string | undefined {
  const value = cookies.get(VISIT_COOKIE);
  return value !== undefined && BROWSER_SECRET.test(value) ? value : undefined;
}
