import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { InteractionResults } from 'oidc-provider';
import type pg from 'pg';
import type { SignedIn } from '../identity/session/sessions.ts';
import { type Admission, admission, REFUSALS } from './admission.ts';
import { tenantOfClient } from './client-adapter.ts';
import { methodReferences, portalSession } from './portal-session.ts';

/** Seconds for which a sign-in counts as one made just now, for a chat that asks for a fresh one. */
const FRESH_SECONDS = 300;

/** What a chat wants to know, as far as it matters here. */
export type Wish = {
  /** It asked for a sign-in that is made now. */
  readonly freshly: boolean;
  /** Seconds a sign-in may be old. */
  readonly maxAgeSeconds: number | undefined;
};

/** How an interaction ends. Undefined: the person has to sign in first. */
export function decideInteraction(
  signedIn: SignedIn | undefined,
  wish: Wish,
  let_in: Admission | undefined,
  now: Date,
): InteractionResults | undefined {
  if (signedIn === undefined || let_in === undefined) return undefined;
  const { authenticatedAt, methods } = signedIn.session;
  const maxAge = Math.min(wish.freshly ? FRESH_SECONDS : Infinity, wish.maxAgeSeconds ?? Infinity);
  if (now.getTime() - authenticatedAt.getTime() > maxAge * 1000) {
    return { error: 'login_required', error_description: 'sign out of the portal and in again, then open the chat' };
  }
  if (let_in.admitted === undefined) {
    return { error: 'access_denied', error_description: REFUSALS[let_in.refused] };
  }
  const ts = Math.floor(authenticatedAt.getTime() / 1000);
  return { login: { accountId: let_in.admitted.personId, ts, amr: methodReferences(methods) } };
}

/** Lets a browser in that is signed in at the portal, sends it there when it is not, and back to the chat with the reason
 * when the tenant does not know its person. */
export async function interact(
  provider: Provider,
  parts: { readonly pool: pg.Pool; readonly portalUrl: string; readonly now: () => Date },
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const { params, prompt } = await provider.interactionDetails(request, response);
  const signedIn = await portalSession(parts.pool, request);
  const tenant = tenantOfClient(String(params.client_id)) ?? '';
  const asked = signedIn && (await admission(parts.pool, tenant, signedIn.person.id));
  const wish = {
    freshly: prompt.reasons.includes('login_prompt'),
    maxAgeSeconds: params.max_age === undefined ? undefined : Number(params.max_age),
  };
  const result = decideInteraction(signedIn, wish, asked, parts.now());
  if (result !== undefined) return provider.interactionFinished(request, response, result);
  const location = `${parts.portalUrl}/sign-in?return_to=${encodeURIComponent(path)}`;
  response.writeHead(303, { location, 'cache-control': 'no-store', 'content-length': '0' }).end();
}
