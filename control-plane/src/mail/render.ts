import type { Block, MailContent, MailLanguage } from './content.ts';

export type RenderedMail = { readonly subject: string; readonly text: string; readonly html: string };

const GREETING: Record<MailLanguage, string> = { de: 'Guten Tag,', en: 'Hello,' };
const FOOTER: Record<MailLanguage, string> = {
  de: 'Diese Nachricht wurde automatisch verschickt. Wir fragen nie nach einem Passwort oder einem Link daraus; geben Sie beides nicht weiter.',
  en: 'This message was sent automatically. We never ask for a password or for a link from it; pass neither on.',
};

/** Writes a mail as plain text and as HTML. The HTML loads nothing: no image, font, style sheet or counting pixel. */
export function renderMail({ subject, blocks }: MailContent, language: MailLanguage): RenderedMail {
  const paragraphs = [GREETING[language], ...blocks, FOOTER[language]];
  const title = oneLine(subject);
  return {
    subject: title,
    text: `${paragraphs.map(textOf).join('\n\n')}\n`,
    html: `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>
<body style="margin:0;padding:24px;background:#f6f7f9;color:#1a1d21;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:34em;margin:0 auto;padding:24px 32px;background:#ffffff;border-radius:8px">
${paragraphs.map(htmlOf).join('\n')}
</div>
</body>
</html>
`,
  };
}

function textOf(block: Block): string {
  if (typeof block === 'string') return block;
  if ('link' in block) return `${block.label}:\n${block.link}`;
  const width = Math.max(...block.facts.map(([name]) => name.length)) + 1;
  return block.facts.map(([name, value]) => `  ${`${name}:`.padEnd(width)} ${oneLine(value)}`).join('\n');
}

function htmlOf(block: Block): string {
  if (typeof block === 'string') return `<p>${escapeHtml(block)}</p>`;
  if ('link' in block) {
    const style = 'display:inline-block;padding:10px 20px;border-radius:6px;background:#1d4ed8;color:#ffffff';
    const link = escapeHtml(block.link);
    return `<p><a href="${link}" style="${style}">${escapeHtml(block.label)}</a></p>
<p style="font-size:13px;color:#4b5563;word-break:break-all">${link}</p>`;
  }
  const rows = block.facts.map(
    ([name, value]) =>
      `<tr><td style="padding-right:16px;color:#4b5563">${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table style="border-spacing:0">${rows.join('')}</table>`;
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (character) => names[character] ?? character);
}

/** A header has no line breaks, whatever a name holds. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
