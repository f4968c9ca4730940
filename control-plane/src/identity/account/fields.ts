import { z } from 'zod';

/** RFC 5321's limit of a path, less its brackets. */
const MAX_EMAIL_LENGTH = 254;
const MAX_NAME_LENGTH = 100;

/** A mail address somebody typed. */
export const EmailField = z
  .string()
  .trim()
  .max(MAX_EMAIL_LENGTH)
  .pipe(z.email('is no mail address'))
  .meta({ example: 'person@example.com' });

/** A person's name: one line, of any script. */
export const NameField = z
  .string()
  .trim()
  .min(1)
  .max(MAX_NAME_LENGTH)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must be one line');

export const LanguageField = z.enum(['de', 'en']);

/** The terms' version the page showed when the box was ticked. */
export const TermsVersionField = z
  .string()
  .regex(/^[0-9A-Za-z.-]{1,40}$/)
  .meta({ description: 'The version of the terms that was shown and accepted', example: '2026-11' });
