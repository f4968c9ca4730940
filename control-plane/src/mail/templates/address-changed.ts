import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To the old address, once a new one was confirmed. */
export const addressChanged = mailTemplate(
  z.object({ newAddress: z.string(), undoLink: z.url(), validDays: z.int() }),
  {
    de: ({ newAddress, undoLink, validDays }) => ({
      subject: 'Die Adresse Ihres Kontos wurde geändert',
      blocks: [
        'Ihr Konto bei CloudFreedom hat jetzt eine andere Adresse:',
        { facts: [['Neue Adresse', newAddress]] },
        `Waren Sie das nicht? Dann machen Sie es innerhalb von ${validDays} Tagen rückgängig. Dabei werden alle Geräte abgemeldet, und Sie setzen ein neues Passwort.`,
        { link: undoLink, label: 'Änderung rückgängig machen' },
      ],
    }),
    en: ({ newAddress, undoLink, validDays }) => ({
      subject: 'The address of your account was changed',
      blocks: [
        'Your account at CloudFreedom has another address now:',
        { facts: [['New address', newAddress]] },
        `Was this not you? Then undo it within ${validDays} days. That signs out every device, and you set a new password.`,
        { link: undoLink, label: 'Undo the change' },
      ],
    }),
  },
);
