import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import type pg from 'pg';
import { admission } from './admission.ts';
import { tenantOfClient } from './client-adapter.ts';
import { portalSession } from './portal-session.ts';
import { signInStands, storeSignIn } from './sign-ins.ts';
import { actorOf } from './visitor.ts';

/** Whatever scopes a chat asks for of those there are: it is our own. */
const SCOPES = 'openid email profile';

/**
 * The grant of the person who is signed in, for the chat they come into. Another window of the same browser shares the
 * one there is; a new session at the portal begins a new one, so that the tokens of each end with it.
 */
export async function grantOfSignIn(pool: pg.Pool, ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { client, session, account, provider } = ctx.oidc;
  const signedIn = await portalSession(pool, ctx.req);
  if (!client || !session || !account || signedIn?.person.id !== account.accountId) return undefined;
  const known = session.grantIdFor(client.clientId);
  if (known !== undefined && (await signInStands(pool, known, signedIn.session.id))) {
    const grant = await provider.Grant.find(known);
    if (grant !== undefined) return grant;
  }
  const { admitted } = await admission(pool, tenantOfClient(client.clientId) ?? '', account.accountId);
  if (admitted === undefined) return undefined;
  session.ensureClientContainer(client.clientId);
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope(SCOPES);
  const grantId = await grant.save();
  const signIn = {
    grantId,
    tenantId: admitted.tenantId,
    personId: admitted.personId,
    sessionId: signedIn.session.id,
    sid: session.sidFor(client.clientId) ?? '',
  };
  await storeSignIn(pool, signIn, actorOf(signedIn, ctx.req));
  return grant;
}
