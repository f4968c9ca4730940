import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To a person whose password has just been set anew, in whichever way. */
export const passwordChanged = mailTemplate(z.object({ forgotLink: z.url() }), {
  de: ({ forgotLink }) => ({
    subject: 'Ihr Passwort wurde geändert',
    blocks: [
      'das Passwort Ihres Kontos bei CloudFreedom wurde soeben geändert. Alle anderen Geräte sind abgemeldet.',
      'Waren Sie das nicht? Dann setzen Sie sofort ein neues:',
      { link: forgotLink, label: 'Neues Passwort setzen' },
    ],
  }),
  en: ({ forgotLink }) => ({
    subject: 'Your password was changed',
    blocks: [
      'The password of your account at CloudFreedom has just been changed. All other devices are signed out.',
      'Was this not you? Then set a new one at once:',
      { link: forgotLink, label: 'Set a new password' },
    ],
  }),
});
