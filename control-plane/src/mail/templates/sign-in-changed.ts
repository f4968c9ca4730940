import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** What may have changed about the ways a person signs in. */
export const SignInChange = z.enum([
  'totp_added',
  'totp_removed',
  'passkey_added',
  'passkey_removed',
  'identity_linked',
  'identity_unlinked',
  'recovery_codes_replaced',
  'recovery_code_used',
]);
export type SignInChange = z.output<typeof SignInChange>;

const GERMAN: Record<SignInChange, string> = {
  totp_added: 'Eine Authenticator-App wurde als zweiter Faktor eingerichtet.',
  totp_removed: 'Die Authenticator-App wurde als zweiter Faktor entfernt.',
  passkey_added: 'Ein Passkey wurde hinzugefügt.',
  passkey_removed: 'Ein Passkey wurde entfernt.',
  identity_linked: 'Ein Konto bei einem anderen Anbieter wurde als Anmeldeweg hinzugefügt.',
  identity_unlinked: 'Ein Konto bei einem anderen Anbieter wurde als Anmeldeweg entfernt.',
  recovery_codes_replaced: 'Neue Wiederherstellungscodes wurden erzeugt. Die alten gelten nicht mehr.',
  recovery_code_used: 'Jemand hat sich mit einem Ihrer Wiederherstellungscodes angemeldet.',
};
const ENGLISH: Record<SignInChange, string> = {
  totp_added: 'An authenticator app was set up as a second factor.',
  totp_removed: 'The authenticator app was removed as a second factor.',
  passkey_added: 'A passkey was added.',
  passkey_removed: 'A passkey was removed.',
  identity_linked: 'An account at another provider was added as a way to sign in.',
  identity_unlinked: 'An account at another provider was removed as a way to sign in.',
  recovery_codes_replaced: 'New recovery codes were made. The old ones are void.',
  recovery_code_used: 'Somebody signed in with one of your recovery codes.',
};

/** To a person one of whose ways to sign in has just changed. `detail` names which, where there are several. */
export const signInChanged = mailTemplate(
  z.object({ change: SignInChange, detail: z.string(), accountLink: z.url() }),
  {
    de: ({ change, detail, accountLink }) => ({
      subject: 'Ihre Anmeldung bei CloudFreedom wurde geändert',
      blocks: [
        GERMAN[change],
        ...(detail === '' ? [] : [{ facts: [['Welcher', detail]] as const }]),
        'Waren Sie das nicht? Dann setzen Sie ein neues Passwort, melden Sie alle Geräte ab und prüfen Sie Ihre Anmeldewege:',
        { link: accountLink, label: 'Konto prüfen' },
      ],
    }),
    en: ({ change, detail, accountLink }) => ({
      subject: 'Your sign-in to CloudFreedom was changed',
      blocks: [
        ENGLISH[change],
        ...(detail === '' ? [] : [{ facts: [['Which', detail]] as const }]),
        'Was this not you? Then set a new password, sign out every device and look through your ways to sign in:',
        { link: accountLink, label: 'Look at the account' },
      ],
    }),
  },
);
