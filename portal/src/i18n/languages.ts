/** The languages people choose from; the first one holds where nothing else was said. */
export const languages = ['de', 'en'] as const;
export type Language = (typeof languages)[number];

/** How each language calls itself. */
export const languageNames: Readonly<Record<Language, string>> = { de: 'Deutsch', en: 'English' };

const STORAGE_KEY = 'language';

/** The language chosen before, else the first one of the browser's that we speak, else German. */
export function preferredLanguage(): Language {
  const wishes = [readStored(), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return wishes.find(isLanguage) ?? 'de';
}

function isLanguage(tag: string | undefined): tag is Language {
  return languages.some((language) => language === tag);
}

/** Remembers the choice in this browser. */
export function storeLanguage(language: Language): void {
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    // storage is closed to us: it holds until the page is left
  }
}

function readStored(): string | undefined {
  try {
    return localStorage.getItem(STORAGE_KEY) ?? undefined;
  } catch {
    return undefined;
  }
}
