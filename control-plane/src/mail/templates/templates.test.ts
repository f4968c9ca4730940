import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { renderMail } from '../render.ts';
import { TEMPLATES, type TemplateName } from './templates.ts';

const LANGUAGES = ['de', 'en'] as const;
const CANARY = `<img src="https://evil.test/x.png"> "&" 'x'\r\nBcc: eve@example.test`;

/** What a field may hold, the nastiest first: a text, a link, a number, a time, one of a few words. */
const CANDIDATES = [CANARY, 'https://portal.example.test/page#token=x', 3, '2026-11-30T12:00:00.000Z'];

/** Data of the right shape, with something nasty wherever a text may stand. */
function nastyData(name: TemplateName): Record<string, unknown> {
  const { shape } = TEMPLATES[name].data as z.ZodObject;
  return Object.fromEntries(
    Object.entries(shape).map(([field, schema]) => {
      const words = schema instanceof z.ZodEnum ? schema.options : [];
      return [field, [...CANDIDATES, ...words].find((value) => (schema as z.ZodType).safeParse(value).success)];
    }),
  );
}

describe.each(Object.keys(TEMPLATES) as TemplateName[])('the mail %s', (name) => {
  test.each(LANGUAGES)('in %s is whole, loads nothing and lets no markup in', (language) => {
    const template = TEMPLATES[name];
    const content = template[language](template.data.parse(nastyData(name)) as never);
    const { subject, text, html } = renderMail(content, language);
    expect(subject).not.toMatch(/[\r\n]|undefined|\[object/);
    expect(subject.length).toBeGreaterThan(5);
    expect(text).toMatch(language === 'de' ? /^Guten Tag,\n\n/ : /^Hello,\n\n/);
    expect(text + html).not.toMatch(/undefined|\[object|NaN/);
    expect(html).not.toMatch(/<(img|link|script|iframe|style|object|svg)\b|url\(|@import/i);
    const loaded = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
    for (const address of loaded) expect(address).toMatch(/^https:\/\/portal\.example\.test\//);
  });

  test('says different things in each language, and the same links', () => {
    const data = TEMPLATES[name].data.parse(nastyData(name)) as never;
    const [german, english] = LANGUAGES.map((language) => TEMPLATES[name][language](data));
    expect(german?.subject).not.toBe(english?.subject);
    const links = (content: typeof german) =>
      content?.blocks.flatMap((block) => (typeof block === 'object' && 'link' in block ? [block.link] : [])).sort();
    expect(links(german)).toEqual(links(english));
  });
});
