import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To a person whose address somebody wants for another account: the page said only "we have sent a mail". */
export const addressTaken = mailTemplate(z.object({ signInLink: z.url() }), {
  de: ({ signInLink }) => ({
    subject: 'Diese Adresse hat bereits ein Konto',
    blocks: [
      'diese Adresse sollte die neue eines anderen Kontos bei CloudFreedom werden. Sie hat schon ein eigenes; daran wurde nichts geändert.',
      { link: signInLink, label: 'Anmelden' },
      'Waren Sie das nicht? Dann müssen Sie nichts tun.',
    ],
  }),
  en: ({ signInLink }) => ({
    subject: 'This address already has an account',
    blocks: [
      'This address was to become the new one of another account at CloudFreedom. It has one of its own already, and nothing about it was changed.',
      { link: signInLink, label: 'Sign in' },
      'Was this not you? Then there is nothing to do.',
    ],
  }),
});
