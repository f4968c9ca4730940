import { FAULTS } from './account.ts';

/** The page on which a browser says who it is; its form goes back to the same address, query included. */
export function accountPage(provider: string): string {
  return document(
    `Sign in to ${provider}`,
    `<p>A stand-in for ${provider}: whoever you say you are, you are.</p>
<form method="post">
<p><label>E-mail <input name="email" type="email" required autofocus></label></p>
<p><label>Name <input name="name"></label></p>
<p><label>Subject <input name="subject" placeholder="made of the e-mail"></label></p>
<p><label><input name="verified" type="checkbox" checked> The address is verified</label></p>
<p><label>Misbehave <select name="fault">${FAULTS.map((fault) => `<option>${fault}</option>`).join('')}</select></label></p>
<p><button name="decision" value="allow">Continue</button> <button name="decision" value="deny" formnovalidate>Cancel</button></p>
</form>`,
  );
}

/** What a browser is shown whose request is refused. */
export function refusalPage(reason: string): string {
  return document('This request is refused', `<p>${escaped(reason)}</p>`);
}

function document(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${body}</html>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
