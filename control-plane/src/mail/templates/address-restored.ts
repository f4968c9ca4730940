import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To the old address, once its owner took back a change: the password may be a stranger's and is gone. */
export const addressRestored = mailTemplate(z.object({ link: z.url(), validMinutes: z.int() }), {
  de: ({ link, validMinutes }) => ({
    subject: 'Ihr Konto hat wieder diese Adresse',
    blocks: [
      'die Änderung der Adresse ist rückgängig gemacht. Alle Geräte sind abgemeldet, und das bisherige Passwort gilt nicht mehr. Setzen Sie ein neues:',
      { link, label: 'Neues Passwort setzen' },
      `Der Link gilt ${validMinutes} Minuten und einmal. Prüfen Sie danach Ihre Anmeldewege und zweiten Faktoren.`,
    ],
  }),
  en: ({ link, validMinutes }) => ({
    subject: 'Your account has this address again',
    blocks: [
      'The change of address was undone. Every device is signed out, and the password used until now is void. Set a new one:',
      { link, label: 'Set a new password' },
      `The link works once, within ${validMinutes} minutes. Then look through your ways to sign in and your second factors.`,
    ],
  }),
});
