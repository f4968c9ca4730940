import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the terms are: one file per version and language. */
export const TERMS_FOLDER = join(import.meta.dirname, '../../terms');
const FILE_NAME = /^(\d{4}-\d{2}-\d{2})\.(de|en)\.md$/;
/** What the first line of a text has that nobody has reviewed. */
const DRAFT = /^> \*\*(Draft|Entwurf)/;

/** A version of the terms, in Markdown. */
export type Terms = {
  readonly version: string;
  readonly texts: { readonly de: string; readonly en: string };
  /** Not for use in earnest: no lawyer has seen it. */
  readonly isDraft: boolean;
};

/** Every version there is, the oldest first. @throws when one lacks a language */
export async function readTerms(folder: string = TERMS_FOLDER): Promise<readonly Terms[]> {
  const names = (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();
  const versions = [...new Set(names.map((name) => FILE_NAME.exec(name)?.[1] ?? ''))];
  return Promise.all(
    versions.map(async (version) => {
      const [de, en] = await Promise.all(
        ['de', 'en'].map((language) => readFile(join(folder, `${version}.${language}.md`), 'utf8')),
      );
      if (de === undefined || en === undefined) throw new Error(`the terms of ${version} lack a language`);
      return { version, texts: { de, en }, isDraft: DRAFT.test(de) || DRAFT.test(en) };
    }),
  );
}

let inForce: Promise<Terms> | undefined;

/** The newest version. The files are part of the release: they are read once. */
export function currentTerms(): Promise<Terms> {
  inForce ??= readTerms().then((all) => {
    const newest = all.at(-1);
    if (newest === undefined) throw new Error(`there are no terms in ${TERMS_FOLDER}`);
    return newest;
  });
  return inForce;
}
