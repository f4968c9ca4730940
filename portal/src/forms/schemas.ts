import { z } from 'zod';

/** As the API has it: see NewPassword in the control plane. */
const MIN_PASSWORD_LENGTH = 12;
const MAX_PASSWORD_LENGTH = 200;
const MAX_NAME_LENGTH = 100;

/** What a person is called. */
export const personName = z
  .string()
  .trim()
  .min(1, 'fault.required')
  .max(MAX_NAME_LENGTH, `fault.tooLong:${MAX_NAME_LENGTH}`);

/** An address that mail can go to. */
export const email = z.string().trim().min(1, 'fault.required').pipe(z.email('fault.email'));

/** A password that is chosen now. */
export const newPassword = z
  .string()
  .min(MIN_PASSWORD_LENGTH, `fault.tooShort:${MIN_PASSWORD_LENGTH}`)
  .max(MAX_PASSWORD_LENGTH, `fault.tooLong:${MAX_PASSWORD_LENGTH}`);

/** A password that is compared. */
export const typedPassword = z.string().min(1, 'fault.required');

/** The six digits an authenticator app shows; people type them with a space between. */
export const totpCode = z
  .string()
  .transform((text) => text.replaceAll(/\s/g, ''))
  .pipe(z.string().regex(/^\d{6}$/, 'fault.code'));
