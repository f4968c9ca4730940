import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To an address that registered. It quotes nothing that was typed: whoever typed it may be a stranger. */
export const confirmRegistration = mailTemplate(z.object({ link: z.url(), validHours: z.int() }), {
  de: ({ link, validHours }) => ({
    subject: 'Bitte bestätigen Sie Ihre Adresse',
    blocks: [
      'mit dieser Adresse wurde ein Konto bei CloudFreedom angelegt. Bestätigen Sie sie, um es zu benutzen.',
      { link, label: 'Adresse bestätigen' },
      `Der Link gilt ${validHours} Stunden und einmal.`,
      'Waren Sie das nicht? Dann tun Sie nichts: Ohne Bestätigung entsteht kein Konto.',
    ],
  }),
  en: ({ link, validHours }) => ({
    subject: 'Please confirm your address',
    blocks: [
      'An account at CloudFreedom was registered with this address. Confirm it to use the account.',
      { link, label: 'Confirm address' },
      `The link works once, within ${validHours} hours.`,
      'Was this not you? Then do nothing: without confirmation there will be no account.',
    ],
  }),
});
