import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To the new address of a person who wants to change it. */
export const confirmAddress = mailTemplate(z.object({ link: z.url(), validHours: z.int() }), {
  de: ({ link, validHours }) => ({
    subject: 'Bitte bestätigen Sie Ihre neue Adresse',
    blocks: [
      'diese Adresse soll die neue eines Kontos bei CloudFreedom werden.',
      { link, label: 'Neue Adresse bestätigen' },
      `Der Link gilt ${validHours} Stunden und einmal. Öffnen Sie ihn dort, wo Sie angemeldet sind.`,
      'Waren Sie das nicht? Dann tun Sie nichts: Ohne Bestätigung ändert sich nichts.',
    ],
  }),
  en: ({ link, validHours }) => ({
    subject: 'Please confirm your new address',
    blocks: [
      'This address is to become the new one of an account at CloudFreedom.',
      { link, label: 'Confirm the new address' },
      `The link works once, within ${validHours} hours. Open it where you are signed in.`,
      'Was this not you? Then do nothing: without confirmation nothing changes.',
    ],
  }),
});
