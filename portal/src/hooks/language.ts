import { useTranslation } from 'react-i18next';
import type { Language } from '../i18n/languages.ts';

/** The language of the page: texts, dates and amounts are in it. */
export function useLanguage(): Language {
  return useTranslation().i18n.language === 'en' ? 'en' : 'de';
}
