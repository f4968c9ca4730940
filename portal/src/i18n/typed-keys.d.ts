import 'i18next';
import type { de } from './de.ts';

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof de };
    returnNull: false;
  }
}
