import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import { SESSION_COOKIE } from '../../identity/session/session-cookie.ts';
import { readSession } from '../../identity/session/sessions.ts';
import { completeVisit, type VisitEnd } from '../../identity/social/complete-visit.ts';
import { landingOf } from '../../identity/social/landing.ts';
import { type ProvedIdentity, type Provider, type Unproven, unprovenBy } from '../../identity/social/provider.ts';
import { browserOf } from '../../identity/social/visit-cookie.ts';
import { endVisit } from '../../identity/social/visits.ts';
import type { Services } from '../../services.ts';
import { callbackUrl, ProviderParams, providerUnknown } from './provider-params.ts';

/** Characters a provider's parameter may have. */
const MAX_PARAMETER_LENGTH = 2_048;
/** What the protocol allows in them (RFC 6749, appendix A). */
const PRINTABLE = /^[\x20-\x7e]*$/;
const Parameter = z.string().max(MAX_PARAMETER_LENGTH).regex(PRINTABLE).optional();
/** What the protocols define; providers add others, which are left out. */
const Callback = z.object({ state: Parameter, code: Parameter, iss: Parameter, error: Parameter });

export const endProviderSignIn = route({
  method: 'get',
  path: '/v1/sign-in/{provider}/callback',
  id: 'endProviderSignIn',
  summary: 'Where a provider sends the browser back to',
  tag: 'Sign-in',
  access: 'public',
  params: ProviderParams,
  query: Callback,
  responses: {
    302: {
      description: 'To the page that was wanted, the second step, the terms, or the sign-in page with the reason',
    },
    404: { description: 'This provider is not set up', schema: Problem },
    422: { description: 'Parameters that no provider sends', schema: Problem },
  },
  run: async (services, { params, query, client, cookies }) => {
    const provider = services.providers.get(params.provider);
    if (provider === undefined) return providerUnknown();
    const visit = await endVisit(services.pool, provider.name, query.state ?? '', browserOf(cookies));
    if (visit === undefined) return landing({ kind: 'refused', code: 'visit_unknown' }, undefined);
    const identity = await prove(services, provider, query, visit.secrets);
    if (typeof identity === 'string') return landing({ kind: 'refused', code: identity }, visit.returnTo);
    const session = cookies.get(SESSION_COOKIE);
    const signedIn = session === undefined ? undefined : (await readSession(services.pool, session))?.person.id;
    const visitor = { signedIn, linking: visit.linkPersonId };
    return landing(await completeVisit(services, identity, visitor, { client, cookies }), visit.returnTo);
  },
});

async function prove(
  { portalUrl, log }: Services,
  provider: Provider,
  query: z.output<typeof Callback>,
  secrets: Parameters<Provider['prove']>[1],
): Promise<ProvedIdentity | Unproven> {
  // From the address we gave, not from what the request says it came to.
  const callback = new URL(callbackUrl(portalUrl, provider.name));
  for (const [name, value] of Object.entries(query)) if (value !== undefined) callback.searchParams.set(name, value);
  try {
    return await provider.prove(callback, secrets);
  } catch (error) {
    const reason = unprovenBy(error);
    log.warn({ provider: provider.name, reason, err: messageOf(error) }, 'a provider’s sign-in was refused');
    return reason;
  }
}

/** Of such an error the message alone is logged: what it carries may hold tokens. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}

function landing(end: VisitEnd, returnTo: string | undefined): Answer {
  const signedIn = end.kind === 'signed_in';
  return {
    status: 302,
    headers: { location: landingOf(end, returnTo) },
    ...(signedIn ? { cookies: [end.cookie], audit: { target: `person/${end.personId}` } } : {}),
  };
}
