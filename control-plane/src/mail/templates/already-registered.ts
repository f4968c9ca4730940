import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To a person whose address was registered once more: the page said only "we have sent a mail". */
export const alreadyRegistered = mailTemplate(z.object({ signInLink: z.url(), forgotLink: z.url() }), {
  de: ({ signInLink, forgotLink }) => ({
    subject: 'Sie haben bereits ein Konto',
    blocks: [
      'mit dieser Adresse sollte ein Konto bei CloudFreedom angelegt werden. Sie haben schon eines; daran wurde nichts geändert.',
      { link: signInLink, label: 'Anmelden' },
      { link: forgotLink, label: 'Passwort vergessen' },
      'Waren Sie das nicht? Dann müssen Sie nichts tun.',
    ],
  }),
  en: ({ signInLink, forgotLink }) => ({
    subject: 'You already have an account',
    blocks: [
      'Somebody tried to register an account at CloudFreedom with this address. You have one already, and nothing about it was changed.',
      { link: signInLink, label: 'Sign in' },
      { link: forgotLink, label: 'Forgot the password' },
      'Was this not you? Then there is nothing to do.',
    ],
  }),
});
