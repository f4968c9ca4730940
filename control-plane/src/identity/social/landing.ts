import type { VisitEnd } from './complete-visit.ts';

const HOME = '/';

/**
 * Where in the portal a browser lands after a visit to a provider. What the page needs is in the fragment: browsers send
 * it to no server, so no token is in an access log or a referrer.
 */
export function landingOf(end: VisitEnd, returnTo: string | undefined): string {
  switch (end.kind) {
    case 'signed_in':
      return returnTo ?? HOME;
    case 'linked':
      return returnTo ?? page('/account/security', { linked: end.provider });
    case 'second_factor_required':
      return page('/second-factor', {
        token: end.pendingToken,
        methods: end.methods.join(','),
        expires_at: end.expiresAt.toISOString(),
        return_to: returnTo,
      });
    case 'waits':
      return page('/sign-in', {
        state: end.purpose === 'terms' ? 'terms_required' : 'link_required',
        token: end.token,
        provider: end.identity.provider,
        email: end.identity.email,
        name: end.identity.name,
        return_to: returnTo,
      });
    case 'locked':
      return page('/sign-in', { error: 'account_locked', return_to: returnTo });
    case 'refused':
      return page('/sign-in', { error: end.code, return_to: returnTo });
  }
}

function page(path: string, state: Record<string, string | undefined>): string {
  const given = Object.entries(state).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `${path}#${new URLSearchParams(given)}`;
}
