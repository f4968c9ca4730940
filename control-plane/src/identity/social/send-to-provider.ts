import { newToken } from '../../crypto/token.ts';
import type { Services } from '../../services.ts';
import { type Provider, type Unproven, unprovenBy } from './provider.ts';
import { browserOf, visitCookie } from './visit-cookie.ts';
import { beginVisit, type VisitPurpose } from './visits.ts';

/** Notes the visit and says where the browser goes, with the cookie that it will be known by when it comes back. */
export async function sendToProvider(
  { pool, log }: Services,
  provider: Provider,
  redirectUri: string,
  purpose: VisitPurpose,
  cookies: ReadonlyMap<string, string>,
): Promise<{ readonly url: string; readonly cookie: string } | Unproven> {
  const browser = browserOf(cookies) ?? newToken();
  const secrets = await beginVisit(pool, provider.name, browser, purpose);
  try {
    const url = await provider.authorizationUrl(redirectUri, secrets);
    return { url: url.href, cookie: visitCookie(browser) };
  } catch (error) {
    const reason = unprovenBy(error);
    log.warn({ provider: provider.name, reason, err: error }, 'a provider cannot be reached for a sign-in');
    return reason;
  }
}
