import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { type Language, preferredLanguage, storeLanguage } from './languages.ts';

/** Loads a language's texts; each is a file of its own, so a reader loads one. */
async function textsOf(language: Language) {
  return language === 'de' ? (await import('./de.ts')).de : (await import('./en.ts')).en;
}

/** Makes texts ready in the reader's language. */
export async function startTranslation(): Promise<void> {
  const language = preferredLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: await textsOf(language) } },
    // React escapes what it shows
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = language;
}

/** Changes the language of the page; `remember` when the reader asked for it in this browser. */
export async function changeLanguage(language: Language, remember: boolean): Promise<void> {
  if (remember) storeLanguage(language);
  if (language === i18next.language) return;
  i18next.addResourceBundle(language, 'translation', await textsOf(language), true, true);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
