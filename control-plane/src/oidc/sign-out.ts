import { createHash } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type pg from 'pg';
import { appendAudit } from '../audit/append.ts';
import { inTransaction } from '../database/pool.ts';
import { noSessionCookie } from '../identity/session/session-cookie.ts';
import { revokeSession } from '../identity/session/sessions.ts';
import { type Language, PAGE_SECURITY, signedOutPage, signOutPage } from './pages.ts';
import { portalSession } from './portal-session.ts';
import { actorOf } from './visitor.ts';

const SEND_FORM = "document.getElementById('op.logoutForm').submit()";
const SEND_FORM_HASH = createHash('sha256').update(SEND_FORM).digest('base64');

/** Pages of signing out. A chat that names whom it is about is believed at once; otherwise the person is asked. */
export function logoutPages(portalUrl: string): {
  readonly logoutSource: (ctx: KoaContextWithOIDC, form: string) => void;
  readonly postLogoutSuccessSource: (ctx: KoaContextWithOIDC) => void;
} {
  return {
    logoutSource: (ctx, form) => {
      const hint = ctx.oidc.entities.IdTokenHint?.payload.sub;
      const certain = hint !== undefined && hint === ctx.oidc.session?.accountId;
      if (certain) {
        const policy = PAGE_SECURITY['content-security-policy'];
        ctx.set(
          'content-security-policy',
          policy.replace("script-src 'self'", `script-src 'sha256-${SEND_FORM_HASH}'`),
        );
      }
      ctx.body = signOutPage(languageOf(ctx), portalUrl, form, certain ? SEND_FORM : '');
    },
    postLogoutSuccessSource: (ctx) => {
      ctx.type = 'html';
      ctx.body = signedOutPage(languageOf(ctx), portalUrl);
    },
  };
}

/** The language of the portal's default, unless the browser likes English better. */
export function languageOf(ctx: KoaContextWithOIDC): Language {
  return ctx.acceptsLanguages('de', 'en') === 'en' ? 'en' : 'de';
}

/**
 * Signing out of a chat is signing out: the portal's session ends too, and with it every chat it let the person into. A
 * person who only left the chat would be let in again without a question.
 */
export async function endPortalSession(pool: pg.Pool, ctx: KoaContextWithOIDC, accountId: string): Promise<void> {
  const signedIn = await portalSession(pool, ctx.req);
  if (signedIn?.person.id !== accountId) return;
  await inTransaction(pool, async (client) => {
    await revokeSession(client, accountId, signedIn.session.id);
    await appendAudit(client, { ...actorOf(signedIn, ctx.req), tenant: null, action: 'chat.signed_out' });
  });
  ctx.append('set-cookie', noSessionCookie());
}
