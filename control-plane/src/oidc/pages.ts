/** The few pages the provider shows by itself. Nothing in them is loaded from anywhere. */

const STYLE = `
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: #1c1d21; background: #f6f6f4 }
  main { max-width: 32rem; margin: 15vh auto 0; padding: 2rem }
  h1 { font-size: 1.5rem; margin: 0 0 .5rem }
  button, a.button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: .5rem; background: #1c1d21;
    color: #fff; text-decoration: none; display: inline-block; margin: 1rem 1rem 0 0; cursor: pointer }
  code { background: #e9e9e5; padding: .1rem .3rem; border-radius: .25rem }
  @media (prefers-color-scheme: dark) { body { color: #eee; background: #17181b } button, a.button { background: #eee;
    color: #17181b } code { background: #2a2b30 } }`;

/** What the provider's pages may do: nothing but be read, and send their own form. */
export const PAGE_SECURITY = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export type Language = 'de' | 'en';

const TEXTS = {
  en: {
    failed: 'This sign-in did not work',
    again: 'Open the chat again from the portal. If it stays so, tell whoever runs the platform this:',
    portal: 'To the portal',
    leave: 'Sign out?',
    leaving: 'Signing out …',
    everywhere: 'You will be signed out of the portal and of all chats in this browser.',
    yes: 'Sign out',
    no: 'Stay signed in',
    out: 'You are signed out',
  },
  de: {
    failed: 'Diese Anmeldung hat nicht geklappt',
    again: 'Öffnen Sie den Chat noch einmal vom Portal aus. Bleibt es dabei, nennen Sie dem Betreiber dies:',
    portal: 'Zum Portal',
    leave: 'Abmelden?',
    leaving: 'Sie werden abgemeldet …',
    everywhere: 'Sie werden im Portal und in allen Chats dieses Browsers abgemeldet.',
    yes: 'Abmelden',
    no: 'Angemeldet bleiben',
    out: 'Sie sind abgemeldet',
  },
} as const;

/** Something is wrong with the request itself, so it cannot go back to the chat it came from. */
export function errorPage(language: Language, portalUrl: string, error: { code: string; text: string }): string {
  const text = TEXTS[language];
  return page(
    language,
    text.failed,
    `<p>${text.again}</p><p><code>${safe(error.code)}</code> ${safe(error.text)}</p>${toPortal(text.portal, portalUrl)}`,
  );
}

/**
 * Asks whether somebody wants to leave, or says that they do and sends them on: `form` is the library's, with what proves
 * that it comes from this page; `script` is empty or what sends it.
 */
export function signOutPage(language: Language, portalUrl: string, form: string, script: string): string {
  const text = TEXTS[language];
  const yes = `<button form="op.logoutForm" type="submit" name="logout" value="yes">${text.yes}</button>`;
  const no = `<a class="button" href="${safe(portalUrl)}/">${text.no}</a>`;
  const body = `<p>${text.everywhere}</p>${form}${yes}${no}`;
  if (script === '') return page(language, text.leave, body);
  const hidden = form.replace('</form>', '<input type="hidden" name="logout" value="yes"/></form>');
  const withoutScript = `<noscript>${yes}</noscript>`;
  return page(language, text.leaving, `${hidden}${withoutScript}<script>${script}</script>`);
}

export function signedOutPage(language: Language, portalUrl: string): string {
  const text = TEXTS[language];
  return page(language, text.out, toPortal(text.portal, portalUrl));
}

function toPortal(text: string, portalUrl: string): string {
  return `<a class="button" href="${safe(portalUrl)}/">${text}</a>`;
}

function page(language: Language, title: string, body: string): string {
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function safe(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
