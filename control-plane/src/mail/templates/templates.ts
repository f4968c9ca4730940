import type { z } from 'zod';
import { addressChanged } from './address-changed.ts';
import { addressRestored } from './address-restored.ts';
import { addressTaken } from './address-taken.ts';
import { alreadyRegistered } from './already-registered.ts';
import { confirmAddress } from './confirm-address.ts';
import { confirmRegistration } from './confirm-registration.ts';
import { invitation } from './invitation.ts';
import { passwordChanged } from './password-changed.ts';
import { resetPassword } from './reset-password.ts';
import { signInChanged } from './sign-in-changed.ts';

/** Every mail to a person there is, by the name it is queued under. */
export const TEMPLATES = {
  'address-changed': addressChanged,
  'address-restored': addressRestored,
  'address-taken': addressTaken,
  'already-registered': alreadyRegistered,
  'confirm-address': confirmAddress,
  'confirm-registration': confirmRegistration,
  invitation,
  'password-changed': passwordChanged,
  'reset-password': resetPassword,
  'sign-in-changed': signInChanged,
};

export type TemplateName = keyof typeof TEMPLATES;

/** A template's name with the data it needs. */
export type FilledTemplate = {
  [Name in TemplateName]: { readonly template: Name; readonly data: z.input<(typeof TEMPLATES)[Name]['data']> };
}[TemplateName];
