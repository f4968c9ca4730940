import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To a person who asked to set a new password. */
export const resetPassword = mailTemplate(z.object({ link: z.url(), validMinutes: z.int() }), {
  de: ({ link, validMinutes }) => ({
    subject: 'Neues Passwort setzen',
    blocks: [
      'für Ihr Konto bei CloudFreedom wurde ein neues Passwort angefordert.',
      { link, label: 'Neues Passwort setzen' },
      `Der Link gilt ${validMinutes} Minuten und einmal. Mit dem neuen Passwort werden alle angemeldeten Geräte abgemeldet.`,
      'Waren Sie das nicht? Dann tun Sie nichts: Ihr Passwort bleibt, wie es ist.',
    ],
  }),
  en: ({ link, validMinutes }) => ({
    subject: 'Set a new password',
    blocks: [
      'A new password was requested for your account at CloudFreedom.',
      { link, label: 'Set a new password' },
      `The link works once, within ${validMinutes} minutes. The new password signs out every device.`,
      'Was this not you? Then do nothing: your password stays as it is.',
    ],
  }),
});
